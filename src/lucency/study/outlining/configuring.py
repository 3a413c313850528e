"""Configure a segmentation: choose what the plan leaves open, and bring training and tuning images onto one grid."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.segmentation import Configuration
from lucency.errors import StudyError
from lucency.study.cohort import CLASSES, COHORT, SPLIT, files_of_store
from lucency.study.folder import StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.outlining.structures import MASKS, placement_of, structures_of
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study

if TYPE_CHECKING:
    from lucency.data.cohort_fingerprint import CohortFingerprint
    from lucency.training.configuring import Machine
    from lucency.training.patches import Cases

CONFIGURATION = "segmentation.json"
PREPARED = ["store/prepared.bin", "store/prepared.jsonl", "store/prepared-masks.bin", "store/prepared-masks.jsonl"]
"""Images and label maps of the training and tuning parts on the grid that networks work on; of pictures, the label maps."""


def read_configuration(folder: StudyFolder) -> Configuration:
    """Return the configuration that the stage wrote."""
    return TypeAdapter(Configuration).validate_python(folder.read_json(CONFIGURATION))


def is_of_volumes(plan: Plan) -> bool:
    """Tell whether whole volumes are outlined."""
    return plan.data.image.volumes == "whole"


def cases_of(study: Study, part: Part) -> "Cases":
    """Return the images of the training or the tuning part with their label maps, on the grid that networks work on."""
    from lucency.data.ragged_store import open_ragged
    from lucency.data.store import open_store
    from lucency.training.patches import Cases

    folder = study.folder.path / "store"
    images, rows = open_ragged(folder, "prepared"), labelled_images(study, part)
    masks = open_ragged(folder, "prepared-masks")
    number_of = {masks.facts(number)["image_id"]: number for number in range(len(masks))}
    numbers = [number_of[row.image_id] for row in rows]
    if is_of_volumes(study.plan):
        shown = [images[number] for number in numbers]
    else:
        store = open_store(folder).images
        shown = [store[row.store_row] for row in rows]
    return Cases(tuple(row.image_id for row in rows), shown, [masks[number] for number in numbers])


def prepared_image(study: Study, configuration: Configuration, image: CohortRow) -> NDArray:
    """Return one image as networks see it, axes (channel, [slice,] row, column)."""
    from lucency.data.preparing import prepared_volume
    from lucency.data.store import open_store
    from lucency.data.volume_store import open_volumes

    folder = study.folder.path / "store"
    if not is_of_volumes(study.plan):
        return np.array(open_store(folder).images[image.store_row])
    volume = open_volumes(folder)[image.store_row]
    return prepared_volume(volume, configuration.grey_scale, configuration.spacing_mm)


def _configure(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.training.configuring import configure

    plan = study.plan
    training = labelled_images(study, Part.TRAINING)
    if not training or not labelled_images(study, Part.TUNING):
        raise StudyError("The training or the tuning part has no image. Enlarge `split.tuning`, or add patients.")
    fingerprint = _fingerprint(study, training)
    machine = _machine(study)
    configuration = configure(structures_of(study), fingerprint, plan.data.image, plan.segmentation, machine)
    _prepare(study, configuration)
    patch, batch = " × ".join(map(str, configuration.patch_size)), configuration.batch_size
    study.desk.say(
        f"Configured: {batch} patches of {patch} an iteration, {len(configuration.features)} stages of "
        f"{configuration.features[0]} to {configuration.features[-1]} kernels; {CONFIGURATION} gives the reasons."
    )
    return [study.folder.write_json(CONFIGURATION, asdict(configuration)), *PREPARED]


def _fingerprint(study: Study, training: list[CohortRow]) -> "CohortFingerprint":
    from lucency.data.cohort_fingerprint import fingerprint_of_pictures, fingerprint_of_volumes
    from lucency.data.ground_truth.drawings.label_maps import open_label_maps
    from lucency.data.volume_store import open_volumes

    if not is_of_volumes(study.plan):
        return fingerprint_of_pictures(len(training), study.plan.data.image.shape)
    folder = study.folder.path / "store"
    volumes, labels = open_volumes(folder), open_label_maps(folder)
    return fingerprint_of_volumes((volumes[image.store_row], labels[image.image_id]) for image in training)


def _machine(study: Study) -> "Machine":
    """Look at the device that training will take, and at its free memory."""
    import torch

    from lucency.training.configuring import Machine
    from lucency.training.device import make_device

    device = make_device(study.plan.training).device.type
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else _free_bytes()
    return Machine(device, round(free / 1e9, 1))


def _free_bytes() -> int:
    """Return the memory that is free on this computer, as far as it tells; 4 GB where it does not."""
    try:
        with open("/proc/meminfo") as file:
            facts = dict(line.split(":") for line in file)
        return int(facts["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return 4 * 10**9


def _prepare(study: Study, configuration: Configuration) -> None:
    """Write the images and label maps of the training and tuning parts on the grid that networks work on."""
    from lucency.data.ragged_store import RaggedWriter

    folder = study.folder.path / "store"
    images, masks = RaggedWriter(folder, "prepared"), RaggedWriter(folder, "prepared-masks")
    rows = [row for part in (Part.TRAINING, Part.TUNING) for row in labelled_images(study, part)]
    with study.desk.progress("Preparing images", len(rows)) as progress:
        for row, image, labels in _prepared(study, configuration, rows):
            if image is not None:
                images.append(image, {"image_id": row.image_id})
            masks.append(labels, {"image_id": row.image_id})
            progress.advance()
    images.finish()
    masks.finish()


def _prepared(
    study: Study, configuration: Configuration, rows: list[CohortRow]
) -> Iterator[tuple[CohortRow, NDArray | None, NDArray[np.uint8]]]:
    """Return each image, if the store has it in another form, with its label map."""
    from lucency.data.ground_truth.drawings.label_maps import open_label_maps
    from lucency.data.preparing import prepared_labels
    from lucency.data.volume_store import open_volumes

    folder = study.folder.path / "store"
    label_maps, n_structures = open_label_maps(folder), len(configuration.structures)
    volumes = open_volumes(folder) if is_of_volumes(study.plan) else None
    for row in rows:
        labels = label_maps[row.image_id]
        if volumes is None:
            yield row, None, placement_of(study, row).labels(labels[0])
        else:
            volume = volumes[row.store_row]
            image = prepared_image(study, configuration, row)
            yield row, image, prepared_labels(labels, volume, configuration.spacing_mm, n_structures)


def _settings(study: Study) -> dict[str, Any]:
    plan = study.plan
    return {
        "segmentation": as_settings(plan.segmentation),
        "image": as_settings(plan.data.image),
        "architecture": plan.network.architecture,
        "device": plan.training.device,
    }


CONFIGURE = Stage(
    "configure",
    "The segmentation is configured.",
    _settings,
    lambda plan: [COHORT, CLASSES, SPLIT, *files_of_store(plan), *MASKS],
    _configure,
)
