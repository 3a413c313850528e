"""The report of a detection: what it says when all is well, and when something is missing."""

from dataclasses import replace

import material_factory
import pytest

from evaluation.detections_factory import random_detections
from lucency.domain.detection_plan import Detection, Hit
from lucency.domain.plan import Plan
from lucency.evaluation.detection.matching import match
from lucency.evaluation.detection.operating_point import choose_mark_threshold
from lucency.evaluation.detection.results import SizeBands, evaluate_detection
from lucency.report.answers.boxes import AnchorFacts, Boxes
from lucency.report.limitations import find_limitations
from lucency.report.page import render, render_with_figures

BANDS = SizeBands((10.0, 15.0))


def material_of(test):
    """Put material together whose answers are marks on these images."""
    data = {"images": "images", "labels": {"from": "masks", "drawings": {"path": "masks"}}}
    plan = Plan.model_validate({"task": "detection", "data": data})
    material = replace(material_factory.two_classes(), plan=plan)
    tuning = random_detections(2, 40, test.kinds, part="tuning")
    point = choose_mark_threshold("tuning", match(tuning, Hit()), Detection().operating_point)
    answers = Boxes(
        tuning=tuning,
        test=test,
        point=point,
        hit=Hit(),
        bands=BANDS,
        anchors=AnchorFacts(((8.0,), (12.0,), (16.0,), (20.0,), (24.0,)), (0.8, 1.0, 1.2), 100, 0.8),
        has_masks=True,
        kinds_of_image={row.image_id: ("mass",) for row in material.split},
    )
    estimates = [e for part in (test, tuning) for e in evaluate_detection(part, point, BANDS, Detection(), 0.95)]
    return replace(material, answers=answers, estimates=tuple(estimates))


@pytest.fixture(scope="module")
def well():
    return material_of(random_detections(1, 60))


def test_the_page_shows_curves_numbers_and_where_the_threshold_came_from(well):
    """What a reader of the paper asks first."""
    report = render_with_figures(well)
    assert {"froc", "afroc"} <= report.figures.keys()
    for words in (
        "Mask R-CNN",
        "FROC score",
        "false positives an image",
        "chosen on the tuning part",
        "lesions below 10 px",
    ):
        assert words in report.html


def test_no_number_stands_without_its_interval(well):
    """A sensitivity alone says too much."""
    for sentence in well.answers.result_sentences(well):
        assert "CI" in sentence


def test_anchors_that_do_not_fit_are_a_limitation(well):
    """80 % is named, with what may help."""
    assert "Anchors do not fit all lesions" in [limitation.title for limitation in find_limitations(well)]


def test_without_healthy_images_the_afroc_curve_is_left_out_and_said_why(well):
    """There is nobody to alarm for nothing."""
    test = random_detections(3, 60)
    chosen = [n for n, lesions in enumerate(test.lesions) if lesions]
    fields = ("image_ids", "patient_ids", "lesions", "marks")
    only_ill = replace(test, **{f: tuple(getattr(test, f)[n] for n in chosen) for f in fields})
    material = material_of(only_ill)
    assert "afroc" not in render_with_figures(material).figures
    assert "No image without a lesion" in [limitation.title for limitation in find_limitations(material)]


def test_a_test_part_without_lesions_or_marks_is_shown_all_the_same():
    """Nothing can be measured, and the page says so instead of failing."""
    test = random_detections(4, 20)
    page = render(material_of(replace(test, lesions=((),) * 20, marks=((),) * 20)))
    assert "not computable" in page


def test_several_kinds_are_named():
    """Each has numbers of its own."""
    page = render(material_of(random_detections(5, 60, ("left lung", "right lung"))))
    assert "mark left lung and right lung" in page
