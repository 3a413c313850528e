"""The task of detection: to find lesions, as boxes or as masks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lucency.domain.detections import Detections, Mark
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.errors import StudyError
from lucency.randomness import key as counted_key
from lucency.randomness import sample_keys
from lucency.study.cohort import COHORT, LABELS, SPLIT, STORE
from lucency.study.finding.lesions import LESIONS, read_lesions
from lucency.study.finding.marks import read_marks, write_coco_marks, write_marks
from lucency.study.folder import Opening, StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.training import Task, files_of_networks, load_member, members, train_stage
from lucency.study.transfer import begin, transfer_settings, write_beginning

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.evaluation.detection.operating_point import MarkThreshold
    from lucency.evaluation.detection.results import SizeBands
    from lucency.network.layer_table import LayerRow
    from lucency.training.course import Course
    from lucency.training.drawn_images import DrawnImages
    from lucency.training.standardised import Standardised

ANCHORS = "training/anchors.json"
ENSEMBLE = "ensemble"
N_EPOCHS_COUNTED = 10
"""Epochs over which lesions are counted that augmentation moves out of the image."""
TUNING_PREDICTIONS, OPERATING_POINT = "tuning_predictions.csv", "operating_point.json"
PREDICTIONS, PREDICTIONS_COCO, METRICS = "predictions.csv", "predictions_coco.json", "metrics.json"


def _settings(study: Study) -> dict[str, Any]:
    plan = study.plan
    detection = as_settings(plan.detection)
    del detection["operating_point"]  # chosen later
    return {
        "augmentation": as_settings(plan.augmentation) if plan.augmentation else None,
        "image": as_settings(plan.data.image),
        "detection": detection,
        **transfer_settings(study),
    }


def _prepare(study: Study) -> list[str]:
    """Fit the anchors to the lesions of the training part; fetch weights to begin with if the plan names any."""
    return [_fit_anchors(study), *write_beginning(study)]


def _fit_anchors(study: Study) -> str:
    from lucency.network.detection.anchors import ENOUGH_OVERLAP, anchors_for, best_overlaps

    lesions, shape = read_lesions(study.folder), study.plan.data.image.shape
    boxes = [
        lesion.edges for image in labelled_images(study, Part.TRAINING) for lesion in lesions.of_image[image.image_id]
    ]
    if not boxes:
        raise StudyError(
            "The training part has no lesion to learn from. Make it larger (`split.training`), or check `data.labels.drawings`."
        )
    edges = np.array(boxes, float)
    anchors = anchors_for(edges, study.plan.detection.n_anchor_sizes)
    overlaps = best_overlaps(anchors, edges, shape)
    sides = (edges[:, 2:] - edges[:, :2]).max(axis=1)
    facts = {
        **asdict(anchors),
        "n_lesions": len(boxes),
        "share_well_covered": float((overlaps >= ENOUGH_OVERLAP).mean()),
        "median_best_overlap": float(np.median(overlaps)),
        "share_moved_out": _share_moved_out(study),
        "size_limits": [float(limit) for limit in np.quantile(sides, [1 / 3, 2 / 3])],
    }
    study.desk.say(
        f"Anchors of {anchors.sizes[0][0]:g} to {anchors.sizes[-1][-1]:g} pixels, fitted to {len(boxes)} lesions of the training "
        f"part; {facts['share_well_covered']:.0%} of these have one that overlaps by half."
    )
    return study.folder.write_json(ANCHORS, facts)


def _share_moved_out(study: Study) -> float:
    """Return the share of training lesions that augmentation moves out of the image, over the first epochs."""
    from lucency.training.drawn_images import share_moved_out

    if study.plan.augmentation is None:
        return 0.0
    seed = counted_key(study.plan.seed, "member", 0) >> 1
    return share_moved_out(drawn_images(study, Part.TRAINING), study.plan.augmentation, seed, N_EPOCHS_COUNTED)


def _parts(study: Study) -> "tuple[DrawnImages, DrawnImages]":
    training, tuning = (drawn_images(study, part) for part in (Part.TRAINING, Part.TUNING))
    if not any(tuning.lesions):
        raise StudyError(
            "The tuning part has no lesion, so that no best epoch can be told. Make it larger (`split.tuning`), or choose "
            "another `seed`."
        )
    return training, tuning


def drawn_images(study: Study, part: Part, opening: Opening | None = None) -> "DrawnImages":
    """Return the images of one part with their lesions, in the order of their identifiers.

    Raises:
        SealError: the test part was asked for without an opening.
    """
    import torch

    from lucency.data.store import open_store
    from lucency.training.drawn_images import DrawnImages
    from lucency.training.examples import ImageExamples

    images, lesions = labelled_images(study, part, opening), read_lesions(study.folder)
    return DrawnImages(
        images=ImageExamples(
            store=open_store(study.folder.path / "store").images,
            rows=np.array([image.store_row for image in images]),
            targets=torch.tensor([len(lesions.of_image[image.image_id]) for image in images]),
            sample_keys=sample_keys([image.image_id for image in images]),
        ),
        lesions=tuple(lesions.of_image[image.image_id] for image in images),
        kinds=lesions.kinds,
        has_masks=lesions.has_masks,
    )


def _untrained(study: Study, seed: int) -> "Standardised":
    import torch

    from lucency.network.detection.anchors import Anchors
    from lucency.network.detection.rcnn import build_detector
    from lucency.training.standardised import Standardised

    plan, lesions, facts = study.plan, read_lesions(study.folder), study.folder.read_json(ANCHORS)
    anchors = Anchors(tuple(map(tuple, facts["sizes"])), tuple(facts["ratios"]))
    torch.manual_seed(counted_key(seed, "initial weights") >> 1)
    is_batch = plan.transfer is not None or plan.detection.normalisation == "batch"
    network = build_detector(
        plan.network.architecture,
        plan.detection.model_copy(update={"normalisation": "batch" if is_batch else "group"}),
        plan.data.image,
        len(lesions.kinds),
        anchors,
        has_masks=lesions.has_masks,
    )
    return Standardised(network, plan.data.image.n_channels)


def _fit(study: Study, network: "nn.Module", training: "DrawnImages") -> None:
    """Measure the grey levels of the training part; with transfer, let the backbone begin with others' weights."""
    from lucency.network.catalogue import build
    from lucency.training.detecting import take_backbone
    from lucency.training.standardised import Standardised

    detector, plan, image = cast(Standardised, network), study.plan, study.plan.data.image
    detector.fit(training.images)
    if plan.transfer is not None:
        reader = Standardised(build(plan.network, image.n_channels, image.shape, 2), image.n_channels)
        begin(study, reader, training.images)
        take_backbone(detector, reader)


def _course(study: Study, title: str, parts: "tuple[DrawnImages, DrawnImages]", seed: int, key: str) -> "Course":
    from lucency.data.augmentation import make_augmenter
    from lucency.training.course import Course, Measure
    from lucency.training.detecting import detection_cost, judged_by
    from lucency.training.drawn_images import drawn_lessons

    training, tuning = parts
    augmentation = study.plan.augmentation
    tuning_images = labelled_images(study, Part.TUNING)

    def score(marks: Sequence[tuple[Mark, ...]]) -> float:
        return _froc_score(study, _detections(study, Part.TUNING, "", tuning_images, tuning, marks))

    return Course(
        title=title,
        settings=study.plan.training,
        training=training,
        lesson=drawn_lessons(training, make_augmenter(augmentation, seed) if augmentation else None),
        cost=detection_cost,
        judge=judged_by(tuning, score),
        measure=Measure("FROC score"),
        seed=seed,
        key=key,
    )


def _froc_score(study: Study, detections: Detections) -> float:
    """Return the mean sensitivity at 1/8 to 8 false positives an image."""
    from lucency.evaluation.detection.froc import RATES, sensitivities
    from lucency.evaluation.detection.matching import match

    return float(sensitivities(match(detections, study.plan.detection.hit), np.array(RATES)).mean())


def _show_samples(study: Study, training: "DrawnImages") -> list[str]:
    from lucency.study.finding.pictures import show_drawn_samples

    return show_drawn_samples(study, training)


def _layers(study: Study) -> "Sequence[LayerRow]":
    from lucency.network.detection.layers import layers_of_detector

    image = study.plan.data.image
    return layers_of_detector(_untrained(study, 0).network, image.n_channels, image.shape)


FINDING = Task(
    reads=lambda _: [COHORT, LABELS, SPLIT, LESIONS, *STORE],
    learnt=(ANCHORS,),
    settings=_settings,
    prepare=_prepare,
    parts=_parts,
    untrained=_untrained,
    fit=_fit,
    course=_course,
    show_samples=_show_samples,
    layers=_layers,
)

TRAIN = train_stage(FINDING)


def _predict(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Let every member mark the tuning part, and freeze the operating point there."""
    from lucency.evaluation.detection.matching import match
    from lucency.evaluation.detection.operating_point import choose_mark_threshold

    settings = study.plan.detection
    predictions = _mark_part(study, Part.TUNING)
    point = choose_mark_threshold(Part.TUNING, match(predictions[-1], settings.hit), settings.operating_point)
    study.desk.say(
        f"Marks count from a score of {point.threshold:.3f} ({point.rule}), chosen on the tuning part and frozen; there they hit "
        f"{point.sensitivity or 0:.0%} of the lesions, with {point.false_positives_per_image:.2f} false positives an image."
    )
    return [
        write_marks(study.folder, TUNING_PREDICTIONS, predictions),
        study.folder.write_json(OPERATING_POINT, asdict(point)),
    ]


def _evaluate(study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once, and measure."""
    from lucency.evaluation.detection.results import evaluate_detection

    folder, settings = study.folder, study.plan.detection
    lesions = read_lesions(folder)
    weights = {file: folder.hash(file) for file in files_of_networks(FINDING, study.plan)}
    opening = folder.open_test_set(key, operating_point=folder.hash(OPERATING_POINT), weights=weights)
    test = _mark_part(study, Part.TEST, opening)
    of_tuning = [read_marks(study, TUNING_PREDICTIONS, lesions, Part.TUNING, one.member) for one in test]
    point, bands = read_mark_threshold(folder), size_bands_of(folder)
    estimates = [
        estimate
        for part in (test[-1], of_tuning[-1])
        for estimate in evaluate_detection(part, point, bands, settings, study.plan.evaluation.level)
    ]
    study.desk.say(_headline(estimates, opening))
    table = [asdict(estimate) for estimate in estimates]
    return [
        write_marks(folder, PREDICTIONS, [*of_tuning, *test]),
        write_coco_marks(study, PREDICTIONS_COCO, test[-1]),
        folder.write_json(METRICS, table),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
    ]


def _mark_part(study: Study, part: Part, opening: Opening | None = None) -> list[Detections]:
    """Return the marks of each member and, last, of the ensemble."""
    from lucency.evaluation.detection.fusion import fused
    from lucency.training.detecting import set_marks
    from lucency.training.device import fix_arithmetic, make_device

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    images, examples = labelled_images(study, part, opening), drawn_images(study, part, opening)
    found = []
    for member in members(study.plan):
        marks = set_marks(device.setup(load_member(FINDING, study, member)), examples, device)
        found.append(_detections(study, part, member, images, examples, marks))
    return [*found, fused(found, ENSEMBLE)]


def _detections(
    study: Study,
    part: Part,
    member: str,
    images: Sequence[Any],
    examples: "DrawnImages",
    marks: Sequence[tuple[Mark, ...]],
) -> Detections:
    return Detections(
        part=str(part),
        member=member,
        kinds=examples.kinds,
        shape=study.plan.data.image.shape,
        image_ids=tuple(image.image_id for image in images),
        patient_ids=tuple(image.patient_id for image in images),
        lesions=examples.lesions,
        marks=tuple(marks),
    )


def read_mark_threshold(folder: StudyFolder) -> "MarkThreshold":
    """Return the frozen operating point."""
    from lucency.evaluation.detection.operating_point import MarkThreshold

    return MarkThreshold(**folder.read_json(OPERATING_POINT))


def size_bands_of(folder: StudyFolder) -> "SizeBands":
    """Return the thirds of the lesions' sizes in the training part."""
    from lucency.evaluation.detection.results import SizeBands

    low, high = folder.read_json(ANCHORS)["size_limits"]
    return SizeBands((low, high))


def _headline(estimates: Sequence[Estimate], opening: Opening) -> str:
    again = f" (evaluation no. {opening.n_openings})" if opening.n_openings > 1 else ""
    by_name = {estimate.name: estimate for estimate in reversed(estimates) if estimate.part == Part.TEST}
    found, alarms = by_name["lesion-wise sensitivity"], by_name["false positives per image"]
    if found.value is None or alarms.value is None:
        return f"Test set opened{again}. The test part has no lesion: no sensitivity can be given."
    return (
        f"Test set opened{again}. {found.numerator} of {found.denominator} lesions found ({found.value:.0%}), with "
        f"{alarms.value:.2f} false positives an image ({alarms.n} images)."
    )


def _reads_of_networks(plan: Plan) -> list[str]:
    return [*FINDING.reads(plan), *files_of_networks(FINDING, plan)]


PREDICT = Stage(
    "predict",
    "The threshold is chosen.",
    lambda study: as_settings(study.plan.detection),
    _reads_of_networks,
    _predict,
)

EVALUATE = Stage(
    "evaluate",
    "The test set has been evaluated; it stays as it was.",
    lambda study: {
        "detection": as_settings(study.plan.detection),
        "evaluation": as_settings(study.plan.evaluation),
    },
    lambda plan: [*_reads_of_networks(plan), TUNING_PREDICTIONS, OPERATING_POINT],
    _evaluate,
)


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show hits, misses and false alarms."""
    from lucency.study.finding.pictures import show_marks

    study.folder.last_opening()  # what is shown has been seen
    test = read_marks(study, PREDICTIONS, read_lesions(study.folder), Part.TEST, ENSEMBLE)
    return show_marks(study, test, read_mark_threshold(study.folder))


EXPLAIN = Stage(
    "explain",
    "The pictures of hits, misses and false alarms are drawn.",
    lambda study: {
        "n_cases": study.plan.explanation.n_cases,
        "n_worst": study.plan.report.n_worst,
        "hit": as_settings(study.plan.detection.hit),
    },
    lambda _: [COHORT, LESIONS, SPLIT, *STORE, PREDICTIONS, OPERATING_POINT],
    _explain,
)
