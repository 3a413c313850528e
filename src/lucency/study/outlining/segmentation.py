"""The task of segmentation: to outline structures in pictures and volumes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.segmentation import Configuration
from lucency.errors import PlanError, StudyError
from lucency.randomness import key as counted_key
from lucency.study.cohort import CLASSES, COHORT, SPLIT, files_of_store
from lucency.study.folder import Opening
from lucency.study.medium import labelled_images
from lucency.study.outlining.cases import read_cases, write_cases
from lucency.study.outlining.configuring import (
    CONFIGURATION,
    PREPARED,
    cases_of,
    is_of_volumes,
    prepared_image,
    read_configuration,
)
from lucency.study.outlining.pictures import show_outlines
from lucency.study.outlining.predicted_masks import originals_of, write_mask
from lucency.study.outlining.samples import show_samples
from lucency.study.outlining.structures import MASKS, placement_of, spacing_of, structures_of
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.training import Task, files_of_networks, load_member, members, train_stage

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.data.augmentation import Augment
    from lucency.evaluation.overlap.case import CaseResult
    from lucency.network.layer_table import LayerRow
    from lucency.training.course import Course
    from lucency.training.patches import Cases
    from lucency.training.sliding_window import Window
    from lucency.training.standardised import Standardised

POSTPROCESSING = "postprocessing.json"
TUNING_CASES, TUNING_METRICS = "tables/tuning_cases.csv", "tuning_metrics.json"
CASES, METRICS, PREDICTIONS = "tables/cases.csv", "metrics.json", "predictions.csv"
PREDICTED = ["store/predicted.bin", "store/predicted.jsonl"]
"""The predicted label maps of the test part, each on the grid of its image."""
_MOST_UNEVEN = 1.5
"""Ratio of the coarsest to the finest spacing up to which a tilt, which counts in voxels, is nearly a rotation."""


def _reads(plan: Plan) -> list[str]:
    return [COHORT, CLASSES, SPLIT, *files_of_store(plan), *MASKS, CONFIGURATION, *PREPARED]


def _settings(study: Study) -> dict[str, Any]:
    plan = study.plan
    return {
        "augmentation": as_settings(plan.augmentation) if plan.augmentation else None,
        "segmentation": as_settings(plan.segmentation),
    }


def _parts(study: Study) -> "tuple[Cases, Cases]":
    training, tuning = cases_of(study, Part.TRAINING), cases_of(study, Part.TUNING)
    present = {int(label) for labels in training.labels for label in np.unique(labels)}
    for label, structure in enumerate(structures_of(study), start=1):
        if label not in present:
            raise StudyError(
                f"“{structure}” is drawn on no image of the training part, so that it cannot be learnt. Enlarge "
                "`split.training`, choose another `seed`, or leave it out of `structures` or `names` in "
                "`data.labels.drawings`."
            )
    return training, tuning


def _untrained(study: Study, seed: int) -> "Standardised":
    import torch

    from lucency.network.unet import UnetShape, build_segmenter
    from lucency.training.standardised import Standardised

    configuration, image = read_configuration(study.folder), study.plan.data.image
    shape = UnetShape(
        n_channels=image.n_channels,
        n_classes=configuration.n_classes,
        features=configuration.features,
        strides=configuration.strides,
        kernel_sizes=configuration.kernel_sizes,
        deep_supervision=study.plan.segmentation.deep_supervision,
    )
    torch.manual_seed(counted_key(seed, "initial weights") >> 1)
    network = build_segmenter(study.plan.network.architecture, shape)
    return Standardised(network, image.n_channels, configuration.n_axes)


def _fit(study: Study, network: "nn.Module", patches: Any) -> None:  # noqa: ARG001 - as every task
    """Measure the grey levels of the training part."""
    from lucency.training.outlining import measure_grey_levels

    measure_grey_levels(cast("Standardised", network), patches.cases)


def _course(study: Study, title: str, parts: "tuple[Cases, Cases]", seed: int, key: str) -> "Course":
    from lucency.training.outlining import Lessons, outlining_course
    from lucency.training.patches import Cutting, Patches
    from lucency.training.region_cost import make_region_cost

    plan, configuration = study.plan, read_configuration(study.folder)
    cutting = Cutting(configuration.patch_size, configuration.patches_per_image, plan.segmentation.foreground, seed)
    lessons = Lessons(
        patches=Patches(parts[0], cutting),
        tuning=parts[1],
        cost=make_region_cost(plan.training.cost, plan.segmentation.false_positives),
        augment=_augment(plan, configuration, seed),
        window=replace(window_of(study, configuration), flips=()),
        n_structures=len(configuration.structures),
    )
    settings = plan.training.model_copy(update={"batch_size": configuration.batch_size})
    return outlining_course(title, settings, lessons, seed, key)


def _augment(plan: Plan, configuration: Configuration, seed: int) -> "Augment | None":
    """Return the plan's augmentation; volumes tilt only where their voxels are about as long as wide."""
    from lucency.data.augmentation import make_augmenter

    if not plan.augmentation:
        return None
    spacing = configuration.spacing_mm or (1.0, 1.0, 1.0)
    if plan.augmentation.tilt_degrees and max(spacing) > _MOST_UNEVEN * min(spacing):
        raise PlanError(
            f"`augmentation.tilt_degrees` is for volumes that are as fine in every direction, and these have voxels of "
            f"{' × '.join(f'{mm:g}' for mm in spacing)} mm. Leave it out, or set `data.image.spacing_mm`."
        )
    return make_augmenter(plan.augmentation, seed)


def _layers(study: Study) -> "list[LayerRow]":
    from lucency.network.layer_table import layer_table

    configuration = read_configuration(study.folder)
    return layer_table(_untrained(study, 0).network, study.plan.data.image.n_channels, configuration.patch_size)


OUTLINING = Task(
    reads=_reads,
    learnt=(),
    settings=_settings,
    prepare=lambda _: [],
    parts=_parts,
    untrained=_untrained,
    fit=_fit,
    course=_course,
    show_samples=show_samples,
    layers=_layers,
)

TRAIN = train_stage(OUTLINING)


def _predict(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Outline the tuning part, and decide there of which structures only the largest component is kept."""
    from lucency.evaluation.overlap.summary import summarise

    configuration, folder = read_configuration(study.folder), study.folder
    predicted = dict(_outlined(study, configuration, Part.TUNING))
    truths = _truths(study, labelled_images(study, Part.TUNING))
    kept = _largest_components(study, configuration, predicted, truths)
    results = [
        result
        for image in labelled_images(study, Part.TUNING)
        for result in _measured(
            study, configuration, image, truths[image.image_id], finished(predicted[image.image_id], kept)
        )
    ]
    settings = study.plan.evaluation
    estimates = [replace(e, part=Part.TUNING) for e in summarise(results, settings.level, study.plan.seed)]
    return [
        folder.write_json(POSTPROCESSING, kept),
        write_cases(folder, TUNING_CASES, results),
        folder.write_json(TUNING_METRICS, [asdict(estimate) for estimate in estimates]),
    ]


def _evaluate(study: Study, key: str) -> Iterable[str]:
    """Open the sealed test set, once; write the masks and measure them."""
    from lucency.data.ragged_store import RaggedWriter
    from lucency.evaluation.overlap.summary import summarise

    folder, configuration = study.folder, read_configuration(study.folder)
    kept = folder.read_json(POSTPROCESSING)
    weights = {file: folder.hash(file) for file in files_of_networks(OUTLINING, study.plan)}
    opening = folder.open_test_set(key, postprocessing=folder.hash(POSTPROCESSING), weights=weights)
    images = labelled_images(study, Part.TEST, opening)
    truths = _truths(study, images)
    results: list[CaseResult] = []
    written: list[tuple[CohortRow, list[str]]] = []
    store = RaggedWriter(folder.path / "store", "predicted")
    of_image, originals = {image.image_id: image for image in images}, originals_of(study)
    for image_id, labels in _outlined(study, configuration, Part.TEST, opening):
        image, final = of_image[image_id], finished(labels, kept)
        results += _measured(study, configuration, image, truths[image_id], final)
        store.append(final, {"image_id": image_id})
        written.append((image, write_mask(study, configuration, image, final, originals)))
    store.finish()
    estimates = summarise(results, study.plan.evaluation.level, study.plan.seed)
    study.desk.say(_headline(estimates, opening))
    table = [asdict(estimate) for estimate in estimates] + folder.read_json(TUNING_METRICS)
    rows = [(image.image_id, image.patient_id, Part.TEST, "; ".join(files)) for image, files in written]
    return [
        write_cases(folder, CASES, results),
        folder.write_table(PREDICTIONS, ["image_id", "patient_id", "part", "files"], rows),
        folder.write_json(METRICS, table),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
        *PREDICTED,
        *(file for _, files in written for file in files),
    ]


def _outlined(
    study: Study, configuration: Configuration, part: Part, opening: Opening | None = None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Outline the images of one part: the likeliest label by the members' mean, on the image's own grid.

    Axes (slice, row, column) each.
    """
    import torch

    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.sliding_window import predict_image

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(OUTLINING, study, member)).eval() for member in members(study.plan)]
    images = labelled_images(study, part, opening)
    window = window_of(study, configuration)
    with study.desk.progress(f"Outlining the {part} part", len(images)) as progress:
        for image in images:
            shown = torch.from_numpy(prepared_image(study, configuration, image))
            answers = [predict_image(network, shown, window, device).numpy() for network in networks]
            yield image.image_id, labels_of(study, image, np.mean(answers, axis=0, dtype=np.float32))
            progress.advance()


def labels_of(study: Study, image: CohortRow, probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bring probabilities, axes (class, [slice,] row, column), back to the grid of the image, and take the likeliest."""
    from lucency.data.geometry.regridding import resampled

    if is_of_volumes(study.plan):
        back = resampled(probabilities, (image.slices, image.rows, image.columns))
    else:
        back = placement_of(study, image).probabilities_back(probabilities)[:, None]
    return back.argmax(0).astype(np.uint8)


def window_of(study: Study, configuration: Configuration) -> "Window":
    """Return how a window slides over an image that is larger than a patch."""
    from lucency.training.sliding_window import Window

    settings = study.plan.segmentation
    flips = tuple(configuration.n_axes + axis for axis in study.plan.flips) if settings.test_time_flips else ()
    return Window(configuration.patch_size, settings.window_overlap, configuration.batch_size, flips)


def _truths(study: Study, images: Sequence[CohortRow]) -> dict[str, NDArray[np.uint8]]:
    from lucency.data.ground_truth.drawings.label_maps import open_label_maps

    labels = open_label_maps(study.folder.path / "store")
    return {image.image_id: labels[image.image_id] for image in images}


def _largest_components(
    study: Study,
    configuration: Configuration,
    predicted: Mapping[str, NDArray[np.uint8]],
    truths: Mapping[str, NDArray[np.uint8]],
) -> list[dict[str, Any]]:
    """Say of each structure whether only its largest connected part is kept, and what both give on the tuning part."""
    from lucency.training.components import dice_with_and_without

    setting = study.plan.segmentation.largest_component
    decided = []
    for label, structure in enumerate(configuration.structures, start=1):
        without, with_it = dice_with_and_without(label, [(predicted[i], truths[i]) for i in predicted])
        is_kept = setting == "always" or (setting == "auto" and with_it > without)
        facts = {"structure": structure, "label": label, "keeps_largest_component": is_kept, "decided_by": setting}
        decided.append(facts | {"dice_without": without, "dice_with": with_it})
    named = [str(one["structure"]) for one in decided if one["keeps_largest_component"]]
    study.desk.say(f"Only the largest connected part is kept of: {', '.join(named) or 'no structure'}.")
    return decided


def finished(labels: NDArray[np.uint8], kept: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """Keep the largest connected part alone of the structures for which the tuning part said so."""
    from lucency.training.components import without_smaller_components

    return without_smaller_components(labels, [one["label"] for one in kept if one["keeps_largest_component"]])


def _measured(
    study: Study,
    configuration: Configuration,
    image: CohortRow,
    truth: NDArray[np.uint8],
    predicted: NDArray[np.uint8],
) -> "list[CaseResult]":
    """Measure each structure of one image; of a picture, its one slice."""
    from lucency.evaluation.overlap.case import Case, measure_case

    spacing = spacing_of(image)
    if not is_of_volumes(study.plan):
        truth, predicted, spacing = truth[0], predicted[0], spacing[-2:] if spacing else None
    group = _subgroup(study.plan.segmentation.subgroups, image)
    return [
        measure_case(
            Case(image.image_id, image.patient_id, structure, truth == label, predicted == label, spacing, group),
            study.plan.evaluation.surface_tolerance,
        )
        for label, structure in enumerate(configuration.structures, start=1)
    ]


def _subgroup(pattern: str | None, image: CohortRow) -> str:
    """Return what the plan's pattern catches in the path of an image: its groups, or else all of it."""
    found = re.search(pattern, image.source) if pattern else None
    if found is None:
        return ""
    return "".join(str(group) for group in found.groups() if group) or str(found.group())


def _headline(estimates: Sequence[Any], opening: Opening) -> str:
    words = (
        f"Test set opened (evaluation no. {opening.n_openings}). " if opening.n_openings > 1 else "Test set opened. "
    )
    dice = next(estimate for estimate in estimates if "Dice" in estimate.name)
    if dice.value is None or dice.low is None or dice.high is None:
        return f"{words}{dice.name} cannot be given: {dice.note}"
    return (
        f"{words}{dice.group}: {dice.name} {dice.value:.3f} ({dice.level:.0%} CI {dice.low:.3f}–{dice.high:.3f}; {dice.n} "
        f"{dice.unit}s)."
    )


PREDICT = Stage(
    "predict",
    "The tuning part is outlined.",
    lambda study: {
        "segmentation": as_settings(study.plan.segmentation),
        "level": study.plan.evaluation.level,
        "surface_tolerance": study.plan.evaluation.surface_tolerance,
        "seed": study.plan.seed,
    },
    lambda plan: [*_reads(plan), *files_of_networks(OUTLINING, plan)],
    _predict,
)

EVALUATE = Stage(
    "evaluate",
    "The test set has been evaluated; it stays as it was.",
    lambda study: as_settings(study.plan.evaluation) | {"seed": study.plan.seed},
    lambda plan: [*_reads(plan), *files_of_networks(OUTLINING, plan), POSTPROCESSING, TUNING_METRICS],
    _evaluate,
)


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the outlines of the worst cases, and of others."""
    from lucency.data.ragged_store import open_ragged

    images = labelled_images(study, Part.TEST, study.folder.last_opening())
    store = open_ragged(study.folder.path / "store", "predicted")
    predicted = {store.facts(number)["image_id"]: store[number] for number in range(len(store))}
    pairs = {one: (truth, predicted[one]) for one, truth in _truths(study, images).items()}
    return show_outlines(study, read_configuration(study.folder), images, pairs, read_cases(study.folder, CASES))


EXPLAIN = Stage(
    "explain",
    "The outlines are drawn.",
    lambda study: {"n_worst": study.plan.report.n_worst},
    lambda plan: [COHORT, SPLIT, CASES, CONFIGURATION, *files_of_store(plan), *MASKS, *PREDICTED],
    _explain,
)
