"""The evaluation of a detection: every number of the results section, from lesions and marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from lucency.domain.detection_plan import Detection
from lucency.domain.detections import Detections, Lesion, pixels_of
from lucency.domain.estimate import Estimate
from lucency.evaluation.bootstrap import resampled_weights
from lucency.evaluation.detection.afroc import afroc_estimate
from lucency.evaluation.detection.average_precision import OVERLAPS, Form, average_precision_estimate
from lucency.evaluation.detection.froc import METHOD, froc_estimates
from lucency.evaluation.detection.matching import Matched, match
from lucency.evaluation.detection.operating_point import MarkThreshold
from lucency.evaluation.discrimination import auc_estimate
from lucency.evaluation.intervals import proportion


@dataclass(frozen=True)
class SizeBands:
    """Lesions sorted by the longer side of their box, cut at two lengths that come from the training part."""

    limits: tuple[float, float]
    """Pixels of the image as the network saw it."""

    @property
    def names(self) -> tuple[str, str, str]:
        """Name the bands, from small to large."""
        low, high = (f"{limit:.0f}" for limit in self.limits)
        return f"lesions below {low} px", f"lesions of {low} to {high} px", f"lesions of {high} px and more"

    def of(self, lesions: Sequence[Lesion]) -> NDArray[np.int64]:
        """Return the band of each lesion."""
        sides = [max(e[2] - e[0], e[3] - e[1]) for e in (lesion.edges for lesion in lesions)]
        return np.searchsorted(self.limits, sides, side="right").astype(np.int64)


def evaluate_detection(
    detections: Detections, point: MarkThreshold, bands: SizeBands | None, settings: Detection, level: float
) -> list[Estimate]:
    """Estimate everything that a journal asks of a detection, the FROC score first.

    Where there are several kinds of lesions, a lesion that is marked as another kind is a miss and a false positive; each
    kind is also judged by itself. Intervals are over patients.
    """
    matched = match(detections, settings.hit)
    lesions = [lesion for of_image in detections.lesions for lesion in of_image]
    estimates = [*_over_all_thresholds(matched, level), *_precisions(detections, settings, level)]
    estimates += _at_the_point(matched, point, level)
    if detections.has_masks:
        estimates.append(_dice_of_hits(detections, _counting(matched, point), level))
    if bands is not None and lesions:
        estimates += _by_size(matched, point, bands, bands.of(lesions), level)
    if len(detections.kinds) > 1:
        estimates += [
            replace(e, group=kind)
            for kind in detections.kinds
            for e in _of_kind(detections, kind, point, settings, level)
        ]
    return [replace(estimate, part=str(detections.part)) for estimate in estimates]


def _over_all_thresholds(matched: Matched, level: float) -> Iterator[Estimate]:
    yield from froc_estimates(matched, level)
    yield afroc_estimate(matched, "lesion-free", level)
    yield afroc_estimate(matched, "lesion-free", level, is_weighted=True)
    yield afroc_estimate(matched, "all", level, is_weighted=True)
    highest = matched.highest_scores(of_false_positives=False)
    scores = np.where(np.isfinite(highest), highest, -1.0)
    auc = auc_estimate(matched.lesions_per_image > 0, scores, matched.patients, level)
    yield replace(
        auc, name="image-level AUC", note=f"{auc.note} The score of an image is that of its highest mark.".strip()
    )


def _precisions(detections: Detections, settings: Detection, level: float) -> Iterator[Estimate]:
    """Estimate average precision by boxes, and by masks where there are any; the mean over the kinds of lesions."""
    n_patients = len(set(detections.patient_ids))
    forms: tuple[tuple[str, tuple[float, ...], Form], ...] = (
        ("average precision at IoU 0.5", (0.5,), "coco"),
        ("average precision at IoU 0.5, all points", (0.5,), "voc"),
        ("average precision at IoU 0.5 to 0.95", OVERLAPS, "coco"),
    )
    for by_mask in (False, True) if detections.has_masks else (False,):
        of_overlap = {o: _matches_of_kinds(detections, settings, o, by_mask=by_mask) for o in OVERLAPS}
        n_lesions = sum(matched.n_lesions for matched in of_overlap[OVERLAPS[0]])
        for name, overlaps, form in forms:
            title = f"mask {name}" if by_mask else name
            blank = Estimate(title, None, None, None, n_lesions, "lesion", METHOD, level, n_clusters=n_patients)
            yield average_precision_estimate(blank, [m for overlap in overlaps for m in of_overlap[overlap]], form)


def _matches_of_kinds(detections: Detections, settings: Detection, overlap: float, *, by_mask: bool) -> list[Matched]:
    """Match each kind of lesions by itself, by an overlap of boxes or masks, whatever the plan counts as a hit."""
    hit = settings.hit.model_copy(update={"rule": "overlap", "least_overlap": overlap})
    return [match(detections, hit, kind, by_mask=by_mask) for kind in detections.kinds]


def _at_the_point(matched: Matched, point: MarkThreshold, level: float) -> Iterator[Estimate]:
    """Estimate what the frozen threshold brings: lesions hit, false positives, and images told right."""
    counting = _counting(matched, point)
    yield _sensitivity(counting, level)
    yield _false_positives_per_image(counting, level)
    has_lesion = counting.lesions_per_image > 0
    is_marked = np.isfinite(counting.highest_scores(of_false_positives=False))
    yield proportion("image-level sensitivity", is_marked[has_lesion], counting.patients[has_lesion], level)
    yield proportion("image-level specificity", ~is_marked[~has_lesion], counting.patients[~has_lesion], level)


def _counting(matched: Matched, point: MarkThreshold) -> Matched:
    """Keep the marks that count."""
    stays = matched.scores >= point.threshold
    return replace(
        matched,
        marks=matched.marks[stays],
        image_of_mark=matched.image_of_mark[stays],
        scores=matched.scores[stays],
        lesion_of_mark=matched.lesion_of_mark[stays],
    )


def _sensitivity(counting: Matched, level: float) -> Estimate:
    is_found = np.isfinite(counting.score_of_lesion)
    found = proportion("lesion-wise sensitivity", is_found, counting.patients[counting.image_of_lesion], level)
    return replace(found, unit="lesion", note=found.note.replace("image", "lesion"))


def _false_positives_per_image(counting: Matched, level: float) -> Estimate:
    """Estimate the rate of false positives by bootstrap over patients; without any, by Garwood's limit (1936)."""
    n_false = np.bincount(counting.image_of_mark[~counting.is_hit], minlength=counting.n_images)
    n_patients = int(np.unique(counting.patients).size)
    value = float(n_false.mean())
    blank = Estimate(
        *("false positives per image", value, None, None, counting.n_images, "image", METHOD, level),
        n_clusters=n_patients,
    )
    if not n_false.any():
        high = float(gammaincinv(1, (1 + level) / 2)) / n_patients
        return replace(blank, low=0.0, high=high, method="Garwood 1936, each patient counted once")
    chunks = resampled_weights(counting.lesions_per_image > 0, counting.patients, "bootstrap of false positives", 0)
    resampled = np.concatenate([weights @ n_false / weights.sum(axis=1) for weights in chunks])
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return replace(blank, low=min(float(low), value), high=max(float(high), value))


def _dice_of_hits(detections: Detections, counting: Matched, level: float) -> Estimate:
    """Estimate the mean Dice coefficient of the masks of marks that hit, by bootstrap over patients."""
    dice, images = dice_of_hits(detections, counting)
    patients = counting.patients[images]
    n_patients = int(np.unique(patients).size)
    blank = Estimate("mask Dice of hits", None, None, None, dice.size, "lesion", METHOD, level, n_clusters=n_patients)
    note = "Of lesions that were hit; those that were missed have no mask to compare."
    if not dice.size:
        return replace(blank, note="No lesion was hit.")
    value = float(dice.mean())
    if n_patients < 2:
        return replace(blank, value=value, note=f"{note} All are of one patient: no interval can be given.")
    chunks = resampled_weights(np.ones(dice.size, bool), patients, "bootstrap of the Dice of hits", 0)
    resampled = np.concatenate([weights @ dice / weights.sum(axis=1) for weights in chunks])
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return replace(blank, value=value, low=min(float(low), value), high=max(float(high), value), note=note)


def dice_of_hits(detections: Detections, counting: Matched) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the Dice coefficient (1945) of each mark that hits, and the image that it lies in, axis (hit)."""
    lesions = [lesion for of_image in detections.lesions for lesion in of_image]
    marks = [mark for of_image in detections.marks for mark in of_image]
    hits = counting.is_hit
    dice = []
    for mark, lesion in zip(counting.marks[hits], counting.lesion_of_mark[hits], strict=True):
        a, b = (pixels_of(one.runs or (), detections.shape) for one in (marks[mark], lesions[lesion]))
        dice.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return np.array(dice, float), counting.image_of_mark[hits]


def _by_size(
    matched: Matched, point: MarkThreshold, bands: SizeBands, band: NDArray[np.int64], level: float
) -> Iterator[Estimate]:
    counting = _counting(matched, point)
    for number, name in enumerate(bands.names):
        yield replace(_sensitivity(counting.of_lesions(band == number), level), group=name)


def _of_kind(
    detections: Detections, kind: str, point: MarkThreshold, settings: Detection, level: float
) -> Iterator[Estimate]:
    matched = match(detections, settings.hit, kind)
    yield froc_estimates(matched, level)[0]
    yield next(_precisions(replace(detections, kinds=(kind,)), settings, level))
    counting = _counting(matched, point)
    yield _sensitivity(counting, level)
    yield _false_positives_per_image(counting, level)
