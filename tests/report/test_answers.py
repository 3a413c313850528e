"""The page knows no task: answers that nobody has thought of yet are shown all the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import material_factory
import pytest

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.report.answers.answers import Answers
from lucency.report.limitations import Limitation
from lucency.report.material import Material
from lucency.report.page import render, render_with_figures

BONE_AGE = Estimate(
    "mean absolute error", 5.2, 4.8, 5.9, 200, "image", "bootstrap of patients", part="test", group="all"
)


@dataclass(frozen=True)
class Months:
    """Answers in months, without classes, thresholds or figures."""

    ends: tuple[float, float] | None = None

    template = "page.html.j2"
    ensemble = "the mean of their months is the answer"
    shares_told: tuple[str, ...] = ()

    def sections(self) -> tuple[tuple[str, str], ...]:
        return ()

    def counts(self, material: Material, part: Part) -> dict[str, int]:
        return {}

    def n_iterations(self, material: Material) -> int:
        return 7

    def aim(self) -> str:
        return "tell the age of a bone"

    def decision_sentence(self, material: Material) -> str:
        return "The months are the answer."

    def result_sentences(self, material: Material) -> list[str]:
        return ["On average the network was five months wrong."]

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        return (BONE_AGE,)

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        return self.ends

    def everything(self, material: Material) -> str:
        return "All hands"

    def figures(self, material: Material) -> dict[str, str]:
        return {}

    def limitations(self, material: Material) -> Iterator[Limitation]:
        yield Limitation("Children only", "Nobody else has growth plates.")


@pytest.fixture(scope="module")
def material() -> Material:
    """Return a study whose networks were chosen by an error in months, the larger the better once it is negative."""
    made = material_factory.two_classes(n_members=2)
    members = tuple(
        replace(
            m, measure="mean absolute error", epochs=tuple(replace(e, tuning_measure=-40.0 / e.epoch) for e in m.epochs)
        )
        for m in made.members
    )
    return replace(made, members=members, estimates=(BONE_AGE,), answers=Months())


def test_the_page_shows_answers_of_a_task_that_it_does_not_know(material: Material) -> None:
    """Whoever adds a task adds a file and a template, and need not read the page."""
    answers: Answers = Months()
    assert answers == material.answers
    page = render(material)
    for told in ("five months wrong", "tell the age of a bone; the mean of their months", "Children only", "= 7 "):
        assert told in page
    assert '<h2><a href="#results">' in page
    assert "#errors" not in page


def test_the_page_says_nothing_of_classes_by_itself(material: Material) -> None:
    """A sentence on thresholds in a study that has none would be wrong in silence."""
    page = re.sub(r'<span class="tip".*?</span>', "", render(material))  # the glossary knows all tasks
    told = page[page.index("</style>") : page.index('id="hyperparameters"')].lower()
    for word in ("threshold", "sensitivity", "confusion", "positive class", "cross entropy", "misses"):
        assert word not in told, word


def test_a_ruler_is_drawn_only_where_the_task_knows_its_ends(material: Material) -> None:
    """An error in months has no best and no worst end."""
    assert "on a ruler" not in render(material)
    with_ruler = replace(material, answers=Months(ends=(0, 12)))
    assert "mean absolute error on a ruler from 0 to 12" in render(with_ruler)


def test_the_measure_of_the_tuning_part_has_its_own_name_and_scale(material: Material) -> None:
    """Errors are negated, so that the larger is the better; a curve from 0 to 1 would lie outside the picture."""
    figure = render_with_figures(material).figures["measure"]
    assert "mean absolute error on the tuning part by epoch" in figure
    heights = [float(point.split(",")[1]) for point in figure.split('<path d="M')[1].split('"')[0].split("L")]
    assert 38 <= min(heights) < max(heights) <= 262
