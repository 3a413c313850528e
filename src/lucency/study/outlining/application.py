"""Outline new images: masks as NIfTI or PNG, DICOM segmentations of DICOM images, and how large each structure is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.domain.masks import ImageGrid, Mask
from lucency.domain.segmentation import Configuration
from lucency.domain.volume import Volume
from lucency.study.applying.application import Answer, Answering, Application, Measured, NewImage
from lucency.study.outlining.configuring import read_configuration
from lucency.study.outlining.segmentation import OUTLINING, POSTPROCESSING, finished, labels_of, window_of
from lucency.study.outlining.structures import spacing_of
from lucency.study.stage import Study
from lucency.study.training import load_member, members

FOLDER = "masks"
MM3_IN_ML = 1000.0


def _answering(study: Study) -> Answering:
    import torch

    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.sliding_window import predict_image

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(OUTLINING, study, member)).eval() for member in members(study.plan)]
    configuration, kept = read_configuration(study.folder), study.folder.read_json(POSTPROCESSING)
    window = window_of(study, configuration)

    def outlined(image: NewImage, out: Path) -> list[Answer]:
        shown = torch.from_numpy(_prepared(configuration, image))
        answers = [predict_image(network, shown, window, device).numpy() for network in networks]
        labels = finished(labels_of(study, image.row, np.mean(answers, axis=0, dtype=np.float32)), kept)
        files = _write(study, configuration, image, labels, out)
        return [
            _answer(image, structure, labels == label, files)
            for label, structure in enumerate(configuration.structures, start=1)
        ]

    return lambda images, out: [outlined(image, out) for image in images]


def _prepared(configuration: Configuration, image: NewImage) -> NDArray:
    """Return an image as networks see it, axes (channel, [slice,] row, column)."""
    from lucency.data.preparing import prepared_volume

    if isinstance(image.pixels, Volume):
        return prepared_volume(image.pixels, configuration.grey_scale, configuration.spacing_mm)
    return np.ascontiguousarray(image.pixels)


def _answer(image: NewImage, structure: str, mask: NDArray[np.bool_], files: tuple[Path, ...]) -> Answer:
    n, spacing = int(mask.sum()), spacing_of(image.row)
    unit = "voxels" if isinstance(image.pixels, Volume) else "pixels"
    numbers = [Measured(f"Size of {structure} in {unit}", float(n), unit)]
    if spacing and len(spacing) == 3:
        numbers.append(Measured(f"Volume of {structure}", n * float(np.prod(spacing)) / MM3_IN_ML, "volume_ml", "mL"))
    elif spacing:
        numbers.append(Measured(f"Area of {structure}", n * float(np.prod(spacing)), "area_mm2", "mm2"))
    return Answer(structure if n else f"no {structure}", tuple(numbers), structure, f"outlined on {n:,} {unit}", files)


def _write(
    study: Study, configuration: Configuration, image: NewImage, labels: NDArray[np.uint8], out: Path
) -> tuple[Path, ...]:
    """Write the label map of one image, axes (slice, row, column) on its own grid."""
    from lucency.data.ground_truth.drawings.images import ImageOnDisk
    from lucency.data.ground_truth.drawings.pictures import write_picture
    from lucency.data.ground_truth.drawings.volumes import write_nifti

    files = image.given.files
    stem = out / FOLDER / f"{files[0].name.split('.')[0]}-{image.row.image_id}"
    if isinstance(image.pixels, Volume):
        mask = stem.with_name(f"{stem.name}.nii.gz")
        write_nifti(mask, labels, ImageGrid(labels.shape, image.pixels.affine), files[0] if len(files) == 1 else None)
    else:
        mask = stem.with_name(f"{stem.name}.png")
        write_picture(mask, labels[0])
    if image.row.frame or not ImageOnDisk("", "", files).is_dicom:
        return (mask,)
    return (mask, *_segmentation(study, configuration, files, labels, stem.with_name(f"{stem.name}.dcm")))


def _segmentation(
    study: Study, configuration: Configuration, files: Sequence[Path], labels: NDArray[np.uint8], path: Path
) -> tuple[Path, ...]:
    from lucency.data.dicom.drawings.writing import Authorship, write_segmentation
    from lucency.data.reading import RefusedImage

    masks = [Mask(name, labels == label) for label, name in enumerate(configuration.structures, start=1)]
    try:
        write_segmentation(masks, files, path, Authorship("lucency", is_automatic=True))
    except RefusedImage as reason:
        study.desk.say(f"No DICOM segmentation of {files[0].name}: {reason}")
        return ()
    return (path,)


MASKS = Application(OUTLINING, None, _answering)
