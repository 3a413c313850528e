"""The model card: every heading, the study's own numbers with their intervals, and no text that becomes a sign."""

from dataclasses import replace

import material_factory
import pytest

from lucency.report import words
from lucency.report.model_card import render_model_card

HEADINGS = (
    *("Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data"),
    *("Quantitative analyses", "Ethical considerations", "Caveats and recommendations"),
)
"""Of Mitchell et al. (2019), in their order."""


@pytest.mark.parametrize("make", [material_factory.two_classes, material_factory.four_classes])
def test_the_card_has_every_heading_and_every_number_with_its_interval(make: object) -> None:
    """Nothing is written by hand that the study knows."""
    material = make()  # type: ignore[operator]
    card = render_model_card(material, "Not a medical device.")
    assert [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")] == list(HEADINGS)
    for estimate in material.answers.key_estimates(material):
        assert words.quote(estimate) in card
    for estimate in material.estimates:
        if estimate.part == "test" and estimate.value is not None:
            assert f"| {words.value(estimate)} | {words.interval(estimate)} | {words.sample_size(estimate)} |" in card
    assert card.count("Not a medical device.") == 2
    assert "No external test set" in card


def test_every_table_has_as_many_cells_in_each_row() -> None:
    """A missing cell moves all numbers behind it under another heading."""
    card = render_model_card(material_factory.two_classes(), "Not a medical device.")
    tables = [block for block in card.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for table in tables:
        assert len({line.rstrip().rstrip("|").replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_names_are_text() -> None:
    """A class or title may hold what Markdown takes for a table, a link, a tag or a heading."""
    material = material_factory.two_classes()
    evil = "a|b [x](http://e) <script>alert(1)</script> # `rm`"
    plan = material.plan.model_copy(update={"title": evil})
    card = render_model_card(replace(material, plan=plan), "Not a medical device.")
    assert evil not in card
    assert "\\<script\\>" in card
    assert "\\[x\\](http" in card
