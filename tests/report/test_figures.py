"""The figures: exact counts, colours from classes, files that stand alone."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import material_factory
import numpy as np
import pytest
from material_factory import answers_of, with_answers

from lucency.domain.estimate import Estimate
from lucency.report.counts import count_flow
from lucency.report.drawing import Scale, ticks
from lucency.report.figures import all_figures, interval_ruler, save_ready
from lucency.report.material import Material


@pytest.fixture(scope="module", params=["two", "four"])
def material(request: pytest.FixtureRequest) -> Material:
    return material_factory.two_classes() if request.param == "two" else material_factory.four_classes()


def test_each_figure_is_a_file_that_stands_alone(material: Material) -> None:
    """An .svg of the folder `figures/` opens anywhere, with its colours."""
    files = save_ready(all_figures(material, count_flow(material)))
    assert set(files) == {"flow", "cost", "measure", "roc", "histogram", "confusion"}
    for name, content in files.items():
        root = ET.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert "--c1:#" in content
        assert "nan" not in content.lower().replace("sans", "")


def test_the_confusion_matrix_counts_every_test_image_once(material: Material) -> None:
    """Rows are the truth: their sums are the class counts."""
    test, matrix = answers_of(material).test, answers_of(material).matrix()
    assert matrix.sum() == len(test)
    assert matrix.sum(axis=1).tolist() == np.bincount(test.targets).tolist()


def test_the_confusion_matrix_agrees_with_the_sensitivity() -> None:
    """Figure and table tell the same story at the same threshold."""
    material = material_factory.two_classes()
    matrix = answers_of(material).matrix()
    sensitivity = next(e for e in material.estimates if e.name == "sensitivity" and e.part == "test")
    assert (matrix[1, 1], matrix[1].sum()) == (sensitivity.numerator, sensitivity.denominator)


def test_training_without_an_auc_draws_the_cost_alone(material: Material) -> None:
    """A tuning part of one class has no AUC."""
    member = material.members[0]
    without = replace(member, epochs=tuple(replace(epoch, tuning_measure=None) for epoch in member.epochs))
    figures = all_figures(replace(material, members=(without,)), count_flow(material))
    assert "cost" in figures
    assert "measure" not in figures


def test_one_epoch_is_enough_for_a_learning_curve(material: Material) -> None:
    """The shortest training still has a picture."""
    member = material.members[0]
    short = replace(member, epochs=member.epochs[:1], best_epoch=1)
    figures = all_figures(replace(material, members=(short,)), count_flow(material))
    assert "inf" not in figures["cost"]
    assert "nan" not in figures["cost"]


def test_a_class_without_test_images_has_no_curve() -> None:
    """Its ROC is not defined; the others are drawn all the same."""
    material = material_factory.four_classes()
    whole = answers_of(material).test
    kept = whole.targets != 3
    test = replace(
        whole,
        image_ids=tuple(np.array(whole.image_ids)[kept]),
        patient_ids=tuple(np.array(whole.patient_ids)[kept]),
        targets=whole.targets[kept],
        probabilities=whole.probabilities[kept],
    )
    figures = all_figures(with_answers(material, test=test), count_flow(material))
    assert ">effusion<" in figures["roc"]
    assert ">pneumothorax<" not in figures["roc"]


def test_a_ruler_begins_at_chance_for_an_auc() -> None:
    """An AUC of 0.5 is nothing; a sensitivity of 0.5 is half."""
    answers = answers_of(material_factory.two_classes())
    auc = Estimate("AUC", 0.9, 0.85, 0.94, 100, "image", "DeLong 1988")
    assert answers.ruler(auc) == (0.5, 1)
    assert answers.ruler(replace(auc, name="sensitivity")) == (0, 1)
    assert answers.ruler(replace(auc, value=0.4, low=0.3)) == (0, 1)
    assert "from 0.5 to 1" in interval_ruler(auc, 0.5, 1)


def test_ticks_are_round_and_inside() -> None:
    """Axes are labelled with numbers that one would say aloud."""
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(1, 24) == [5, 10, 15, 20]
    assert Scale(0, 10, 100, 200)(2.5) == 125


def test_a_test_part_of_one_class_is_shown_without_a_curve() -> None:
    """The report must come out, and say why there is no curve."""
    material = material_factory.two_classes()
    whole = answers_of(material).test
    test = replace(whole, targets=np.zeros_like(whole.targets))
    figures = all_figures(with_answers(material, test=test), count_flow(material))
    assert "A curve needs test images of both classes." in figures["roc"]
