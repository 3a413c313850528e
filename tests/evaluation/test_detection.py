import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.detections_factory import SHAPE, random_detections
from lucency.domain.detection_plan import Detection, DetectionPoint, Hit
from lucency.domain.detections import Detections, Lesion, Mark, pixels_of
from lucency.errors import StudyError
from lucency.evaluation.detection.afroc import afroc_area, afroc_curve, afroc_estimate, inferred_auc
from lucency.evaluation.detection.average_precision import OVERLAPS, average_precision
from lucency.evaluation.detection.froc import RATES, froc_band, froc_curve, froc_estimates, sensitivities
from lucency.evaluation.detection.fusion import fused
from lucency.evaluation.detection.matching import NO_LESION, box_overlaps, match
from lucency.evaluation.detection.operating_point import choose_mark_threshold
from lucency.evaluation.detection.results import SizeBands, evaluate_detection


def of_images(*images, kinds=("mass",)):
    """Put images together, each a list of lesions' edges and a list of (score, edges) of marks."""
    numbers = range(len(images))
    return Detections(
        "test",
        "ensemble",
        kinds,
        SHAPE,
        tuple(f"image-{n}" for n in numbers),
        tuple(f"P{n}" for n in numbers),
        tuple(tuple(Lesion("mass", edges) for edges in lesions) for lesions, _ in images),
        tuple(tuple(Mark("mass", score, edges) for score, edges in marks) for _, marks in images),
    )


def test_the_second_mark_on_one_lesion_is_a_false_positive():
    """One hit a lesion, the highest score first."""
    lesion = (10.0, 10.0, 20.0, 20.0)
    matched = match(of_images(([lesion], [(0.9, (10.0, 10.0, 20.0, 21.0)), (0.8, lesion)])), Hit())
    assert matched.lesion_of_mark.tolist() == [0, NO_LESION]


def test_a_mark_takes_the_lesion_that_it_overlaps_most():
    """Of two lesions within reach, the nearer one."""
    near, far = (10.0, 10.0, 30.0, 30.0), (14.0, 10.0, 34.0, 30.0)
    matched = match(of_images(([far, near], [(0.9, near), (0.5, far)])), Hit())
    assert matched.lesion_of_mark.tolist() == [1, 0]


def test_a_centre_inside_counts_where_the_plan_says_so():
    """A small mark in the middle of a large lesion has little overlap with it."""
    detections = of_images(([(0.0, 0.0, 40.0, 40.0)], [(0.9, (18.0, 18.0, 22.0, 22.0))]))
    assert not match(detections, Hit()).is_hit.any()
    assert match(detections, Hit(rule="centre")).is_hit.all()


def test_a_mark_of_another_kind_is_no_hit():
    """Found, but called something else: a miss and a false positive."""
    detections = of_images(([(0.0, 0.0, 40.0, 40.0)], [(0.9, (0.0, 0.0, 40.0, 40.0))]), kinds=("mass", "cyst"))
    detections = replace(detections, marks=((replace(detections.marks[0][0], kind="cyst"),),))
    assert not match(detections, Hit()).is_hit.any()


def test_touching_boxes_do_not_overlap_and_half_boxes_overlap_by_half():
    """Edges lie between pixels; no pixel is added to a width."""
    boxes = [(0.0, 0.0, 10.0, 10.0)]
    others = [(10.0, 0.0, 20.0, 10.0), (0.0, 0.0, 5.0, 10.0), (0.0, 0.0, 10.0, 10.0)]
    assert box_overlaps(boxes, others).tolist() == [[0.0, 0.5, 1.0]]


@pytest.mark.parametrize("by_mask", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_average_precision_equals_pycocotools(seed, by_mask):
    """Two programs, one number, at each of the ten overlaps."""
    detections = random_detections(seed)
    expected = _of_pycocotools(detections, "segm" if by_mask else "bbox")
    for overlap, value in zip(OVERLAPS, expected, strict=True):
        matched = match(detections, Hit(least_overlap=overlap), "mass", by_mask=by_mask)
        assert average_precision(matched, "coco") == pytest.approx(value, abs=1e-9)


def _of_pycocotools(detections, kind):
    truth, said = [], []
    for number, (lesions, marks) in enumerate(zip(detections.lesions, detections.marks, strict=True), start=1):
        for one in lesions:
            truth.append(_annotation(one, number, len(truth) + 1) | {"iscrowd": 0})
        said += [_annotation(one, number, 0) | {"score": one.score} for one in marks]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        images = [{"id": n, "height": SHAPE[0], "width": SHAPE[1]} for n in range(1, len(detections) + 1)]
        coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": 1}], "info": {}}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(said), kind)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, 0, 0, 2].mean(axis=1)


def _annotation(one, image, number):
    from pycocotools import mask as coco_masks

    left, top, right, bottom = one.edges
    segmentation = coco_masks.encode(np.asfortranarray(pixels_of(one.runs, SHAPE).astype(np.uint8)))
    size = [right - left, bottom - top]
    facts = {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [left, top, *size],
        "area": float(np.prod(size)),
    }
    return facts | {"segmentation": {"size": list(SHAPE), "counts": segmentation["counts"].decode()}}


def test_average_precision_of_all_points_by_hand():
    """Hit, miss, hit among three lesions: precisions 1 and 2/3, each over a third of the recall."""
    a, b, c = (0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0), (40.0, 0.0, 50.0, 10.0)
    detections = of_images(([a, b, c], [(0.9, a), (0.8, (0.0, 40.0, 10.0, 50.0)), (0.7, b)]))
    assert average_precision(match(detections, Hit()), "voc") == pytest.approx((1 + 2 / 3) / 3)


def test_froc_counts_as_one_would_by_hand():
    """At every threshold: hits over lesions, false positives over images."""
    detections = random_detections(4, 30)
    matched = match(detections, Hit())
    curve = froc_curve(matched)
    for threshold, rate, sensitivity in zip(
        curve.thresholds[1:], curve.false_positives_per_image[1:], curve.sensitivity[1:], strict=True
    ):
        hits = sum(matched.is_hit[k] for k, score in enumerate(matched.scores) if score >= threshold)
        false = sum(not matched.is_hit[k] for k, score in enumerate(matched.scores) if score >= threshold)
        assert (rate, sensitivity) == pytest.approx((false / 30, hits / detections.n_lesions))


def test_the_froc_score_is_the_mean_at_seven_rates():
    """As in LUNA16, read from the curve without interpolation."""
    matched = match(random_detections(5), Hit())
    curve = froc_curve(matched)
    at = [curve.sensitivity[curve.false_positives_per_image <= rate].max() for rate in RATES]
    assert sensitivities(matched, np.array(RATES)) == pytest.approx(at)
    found = froc_estimates(matched)
    assert found[0].value == pytest.approx(np.mean(at))
    assert all(e.low <= e.value <= e.high for e in found)


def test_images_of_one_patient_widen_the_interval():
    """The patient is what is drawn."""
    alone = match(random_detections(6, 60), Hit())
    together = replace(alone, patients=np.arange(60) // 12)
    a, b = froc_estimates(alone)[0], froc_estimates(together)[0]
    assert b.high - b.low > a.high - a.low
    assert b.n_clusters == 5


def test_a_band_holds_its_curve():
    """Low, curve, high, at every rate."""
    band = froc_band(match(random_detections(7), Hit()), np.geomspace(1 / 16, 2, 9))
    assert (band.low <= band.sensitivity).all()
    assert (band.sensitivity <= band.high).all()


def test_the_area_below_the_afroc_curve_is_the_figure_of_merit():
    """Trapezoids and comparisons of pairs are one number (Chakraborty 2004)."""
    for seed in range(5):
        matched = match(random_detections(seed, 50), Hit())
        curve = afroc_curve(matched)
        area = np.trapezoid(curve.sensitivity, curve.false_alarm_rate)
        assert afroc_area(matched) == pytest.approx(area)


def test_afroc_needs_images_without_lesions():
    """Where every image has one, the area says so, and the form over all images is given."""
    detections = random_detections(8, 30)
    chosen = [n for n, lesions in enumerate(detections.lesions) if lesions]
    only = replace(
        detections,
        **{
            f: tuple(getattr(detections, f)[n] for n in chosen)
            for f in ("image_ids", "patient_ids", "lesions", "marks")
        },
    )
    matched = match(only, Hit())
    assert afroc_estimate(matched, "lesion-free").value is None
    assert 0 < afroc_estimate(matched, "all", is_weighted=True).value < 1
    assert np.isnan(inferred_auc(matched))


def test_the_threshold_keeps_to_the_rate_it_promises():
    """At most so many false positives on the tuning part, no more lesions to be had, and none of the alarms for nothing."""
    matched = match(random_detections(9, part="tuning"), Hit())
    curve = froc_curve(matched)
    for rate in (0.1, 0.25, 0.5, 8.0):
        point = choose_mark_threshold("tuning", matched, DetectionPoint(value=rate))
        counts = matched.scores >= point.threshold
        assert (~matched.is_hit & counts).sum() / matched.n_images == pytest.approx(point.false_positives_per_image)
        assert point.false_positives_per_image <= rate
        assert point.sensitivity == curve.sensitivity[curve.false_positives_per_image <= rate].max()
        assert matched.is_hit[counts][-1]  # the last mark that counts brings a lesion


def test_the_threshold_reaches_the_sensitivity_asked_for():
    """And no higher one does."""
    matched = match(random_detections(10, part="tuning"), Hit())
    point = choose_mark_threshold("tuning", matched, DetectionPoint(rule="sensitivity", value=0.5))
    assert point.sensitivity >= 0.5
    higher = matched.scores[matched.scores >= point.threshold].min()
    assert (matched.is_hit & (matched.scores > higher)).sum() / matched.n_lesions < 0.5


def test_the_test_part_chooses_no_threshold():
    """A threshold that has seen the test images is no threshold."""
    with pytest.raises(StudyError, match="tuning part"):
        choose_mark_threshold("test", match(random_detections(1), Hit()), DetectionPoint())


def test_every_number_of_a_detection_has_its_interval():
    """One list, all of one part, the FROC score first; several kinds and sizes have groups of their own."""
    detections = random_detections(11, 60, kinds=("mass", "cyst"), n_patients=30)
    point = choose_mark_threshold("tuning", match(detections, Hit()), DetectionPoint(value=0.5))
    found = evaluate_detection(detections, point, SizeBands((10.0, 15.0)), Detection(), 0.95)
    assert found[0].name == "FROC score"
    assert {e.part for e in found} == {"test"}
    assert {"all", "mass", "cyst", "lesions below 10 px"} <= {e.group for e in found}
    assert all(e.low <= e.value <= e.high for e in found if e.value is not None)
    by_name = {e.name: e for e in found if e.group == "all"}
    hit = by_name["lesion-wise sensitivity"]
    assert hit.denominator == detections.n_lesions
    assert hit.unit == "lesion"
    bands = [e for e in found if e.group.startswith("lesions")]
    assert sum(e.numerator for e in bands) == hit.numerator
    assert 0.5 < by_name["mask Dice of hits"].value < 1


def test_a_network_that_marks_nothing_is_measured_all_the_same():
    """Sensitivity 0, no false alarm, and no interval of width zero."""
    detections = replace(random_detections(12), marks=((),) * 40)
    point = choose_mark_threshold("tuning", match(detections, Hit()), DetectionPoint())
    found = {e.name: e for e in evaluate_detection(detections, point, None, Detection(), 0.95)}
    assert found["FROC score"].value == 0
    assert found["FROC score"].high > 0
    assert found["false positives per image"].value == 0
    assert 0 < found["false positives per image"].high < 0.2
    assert found["AFROC area"].value == 0.5
    assert found["average precision at IoU 0.5"].value == 0
    assert found["average precision at IoU 0.5"].high > 0
    assert found["mask Dice of hits"].value is None


def test_a_part_without_lesions_is_told_and_not_guessed():
    """Nothing to find: no sensitivity, but a rate of false positives."""
    detections = random_detections(13)
    detections = replace(detections, lesions=((),) * 40)
    point = choose_mark_threshold("tuning", match(detections, Hit()), DetectionPoint(value=0.3))
    found = {e.name: e for e in evaluate_detection(detections, point, None, Detection(), 0.95)}
    assert found["FROC score"].value is None
    assert found["lesion-wise sensitivity"].value is None
    assert found["false positives per image"].value > 0


def test_one_member_is_its_own_ensemble():
    """Nothing is joined, and nothing is lost."""
    alone = random_detections(14)
    assert fused([alone], "ensemble").marks == alone.marks


def test_members_that_agree_make_one_mark_and_a_mark_of_one_alone_counts_half():
    """The box is the mean weighted by the scores; no second mark remains beside it."""
    one = of_images(([], [(0.9, (10.0, 10.0, 20.0, 20.0)), (0.4, (40.0, 40.0, 50.0, 50.0))]))
    other = of_images(([], [(0.3, (12.0, 10.0, 22.0, 20.0))]))
    agreed, alone = fused([one, other], "ensemble").marks[0]
    assert agreed.score == pytest.approx(0.6)
    assert agreed.edges == pytest.approx((10.5, 10.0, 20.5, 20.0))
    assert alone.score == pytest.approx(0.2)


def test_the_order_of_images_and_a_stretch_of_scores_change_nothing():
    """Only ranks count, and every image is itself."""
    detections = random_detections(15, 50)
    order = np.random.default_rng(1).permutation(50)
    fields = ("image_ids", "patient_ids", "lesions", "marks")
    turned = replace(detections, **{f: tuple(getattr(detections, f)[n] for n in order) for f in fields})
    stretched = replace(
        detections,
        marks=tuple(tuple(replace(mark, score=mark.score**3) for mark in marks) for marks in detections.marks),
    )
    expected = froc_estimates(match(detections, Hit()))[0].value
    for same in (turned, stretched):
        matched = match(same, Hit())
        assert froc_estimates(matched)[0].value == pytest.approx(expected)
        assert afroc_area(matched) == pytest.approx(afroc_area(match(detections, Hit())))
        assert average_precision(matched, "voc") == pytest.approx(average_precision(match(detections, Hit()), "voc"))
