"""The report of masks: overlap with its interval, empties apart, outlines, and what the numbers hide."""

import re
from dataclasses import replace

import pytest
from masks_material import masks

from lucency.report.answers.masks import Masks
from lucency.report.glossary import look_up
from lucency.report.limitations import find_limitations
from lucency.report.material import Material
from lucency.report.page import _bare, render, render_with_figures


@pytest.fixture(scope="module")
def two() -> Material:
    return masks()


def answers_of(material: Material) -> Masks:
    assert isinstance(material.answers, Masks)
    return material.answers


def titles(material: Material) -> set[str]:
    return {one.title for one in find_limitations(material)}


def test_the_key_box_gives_the_dice_of_every_structure(two: Material) -> None:
    """The mean over structures can hide that one of them is bad."""
    names = [one.name for one in two.answers.key_estimates(two)]
    assert names == ["mean Dice, all structures", "mean Dice, anterior", "mean Dice, posterior"]
    single = masks(("lesion",))
    assert [one.name for one in single.answers.key_estimates(single)] == [
        "mean Dice",
        "mean surface Dice at 1 mm",
        "median HD95 (mm)",
    ]


def test_every_result_is_told_with_its_interval(two: Material) -> None:
    """A Dice without an interval claims certainty that a hundred images cannot give."""
    told = " ".join(two.answers.result_sentences(two))
    for structure in ("anterior", "posterior"):
        assert re.search(rf"mean Dice of {structure} is 0\.\d{{3}} \(95\W%\WCI 0\.\d{{3}}–0\.\d{{3}}\)", told)
    assert "missed altogether" in told
    assert "Where there is none" in told


def test_empty_masks_stand_in_a_table_of_their_own(two: Material) -> None:
    """Whoever reads the mean has to see of how many images it speaks."""
    page, [anterior, posterior] = render(two), answers_of(two).empties()
    row = f"<th>anterior</th><td>{anterior.n_there}</td><td>{anterior.n_missed}</td><td>{anterior.n_not_there}</td>"
    assert row in page
    assert posterior.n_there + posterior.n_not_there == len(answers_of(two).of("posterior"))


def test_a_case_is_a_dot_in_every_figure(two: Material) -> None:
    """A figure that drops cases would hide the bad ones."""
    figures = render_with_figures(two).figures
    there = [one for one in answers_of(two).results if one.n_truth]
    assert figures["dice"].count("<circle") == len(there)
    of_first = sum(one.structure == "anterior" for one in there)
    assert figures["sizes-0"].count("<circle") == of_first
    assert figures["dice-by-size"].count("<circle") == len(there) + 2, "and a legend of two marks"


def test_groups_have_rows_of_their_own() -> None:
    """Benign and malignant lesions are outlined differently well."""
    grouped = masks(("lesion",), group="kind")
    figure = render_with_figures(grouped).figures["dice"]
    assert "lesion: kind 1" in figure
    assert "lesion: kind 2" in figure
    assert "<th>lesion: kind 2</th>" in render(grouped)


def test_outlines_are_told_apart_by_line_and_by_colour(two: Material) -> None:
    """One man in twelve does not see colours as others do."""
    page = render(two)
    assert "anterior: truth sky blue, solid; network orange, dashed" in page
    for title in ("The worst, by the mean Dice", "Middling", "The best", "Something marked where nothing is"):
        assert title in page


def test_choices_are_told_with_their_reasons(two: Material) -> None:
    """Nobody can overrule a choice that is not shown."""
    page = render(two)
    assert "as many as the memory takes" in page
    assert "the largest part" in page
    assert "Of anterior only the largest connected part is kept, as the tuning part decided." in page


def test_limitations_name_what_a_dice_hides(two: Material) -> None:
    """Sides that are not marked, misses, false alarms, pixels."""
    found = titles(two)
    assert {"Left and right are not marked", "Something was outlined where nothing is"} <= found
    assert "Measured in pixels" not in found
    assert "Measured in pixels" in titles(masks(unit="pixels"))
    few = replace(two, answers=replace(answers_of(two), results=answers_of(two).results[:20]))
    assert "Few test images of a structure" in titles(few)


def test_small_structures_are_named() -> None:
    """Of 40 voxels, a row of seven is a sixth of the Dice."""
    made = masks(("nodule",))
    small = tuple(replace(one, n_truth=min(one.n_truth, 40)) for one in answers_of(made).results)
    assert "Small structures" in titles(replace(made, answers=replace(answers_of(made), results=small)))


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("mean Dice", "Dice"),
        ("mean Dice, anterior", "Dice"),
        ("lower quartile of surface Dice at 1 mm", "surface Dice"),
        ("median HD95 (mm)", "HD95"),
        ("mean absolute volume difference (mm³)", "volume difference"),
        ("upper limit of agreement of volume (mm³)", "limits of agreement"),
        ("Krippendorff's alpha (nominal)", "Krippendorff's alpha"),
    ],
)
def test_every_measure_is_explained(name: str, term: str) -> None:
    """The glossary knows the measure whatever it is averaged to and measured in."""
    entry = look_up(_bare(name))
    assert entry is not None
    assert entry.name == term


def test_a_bias_of_volumes_is_not_explained_as_that_of_a_neuron() -> None:
    """The glossary's bias is a parameter of a network."""
    assert look_up(_bare("bias of volume (mm³)")) is None


def test_structures_that_are_on_no_test_image_are_said_to_be_so(two: Material) -> None:
    """Neither a crash nor a silent blank."""
    from lucency.evaluation.overlap.summary import summarise

    gone = tuple(
        replace(one, n_truth=0, truth_size=0.0, dice=None) if one.structure == "anterior" else one
        for one in answers_of(two).results
    )
    emptied = replace(two, answers=replace(answers_of(two), results=gone), estimates=tuple(summarise(gone)))
    assert "On no test image is anterior drawn" in render(emptied)
