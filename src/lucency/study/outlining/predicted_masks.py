"""Write predicted masks into the study's folder: NIfTI for volumes, PNG for pictures, and DICOM SEG for DICOM images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.masks import ImageGrid, Mask
from lucency.domain.segmentation import Configuration
from lucency.errors import SourceError
from lucency.study.outlining.configuring import is_of_volumes
from lucency.study.stage import Study

FOLDER = "predicted"


Originals = Mapping[str, tuple[Path, ...]]
"""Image → its files, where they are at hand."""


def write_mask(
    study: Study, configuration: Configuration, image: CohortRow, labels: NDArray[np.uint8], files: Originals
) -> list[str]:
    """Write the label map of one image, axes (slice, row, column) on its own grid; return what was written."""
    from lucency.data.ground_truth.drawings.pictures import write_picture
    from lucency.data.ground_truth.drawings.volumes import write_nifti
    from lucency.data.volume_store import open_volumes

    folder, name = study.folder.path, f"{FOLDER}/{image.image_id}"
    originals = files.get(image.image_id, ())
    if is_of_volumes(study.plan):
        volume = open_volumes(folder / "store")[image.store_row]
        file = f"{name}.nii.gz"
        like = originals[0] if len(originals) == 1 else None
        write_nifti(folder / file, labels, ImageGrid(labels.shape, volume.affine), like)
    else:
        file = f"{name}.png"
        write_picture(folder / file, labels[0])
    return [file, *_write_dicom(study, configuration, image, labels, originals)]


def originals_of(study: Study) -> Originals:
    """Find the files of all images that are still at hand."""
    from lucency.study.ground_truth.drawings import images_of_cohort

    try:
        images = images_of_cohort(study)
    except SourceError:
        return {}
    return {image.image_id: image.files for image in images if all(file.exists() for file in image.files)}


def _write_dicom(
    study: Study, configuration: Configuration, image: CohortRow, labels: NDArray[np.uint8], originals: tuple[Path, ...]
) -> list[str]:
    """Write a DICOM segmentation where the image is DICOM and stands on the grid of its files."""
    from lucency.data.ground_truth.drawings.images import ImageOnDisk
    from lucency.data.reading import RefusedImage

    if not originals or image.frame or not ImageOnDisk("", "", originals).is_dicom:
        return []
    from lucency.data.dicom.drawings.writing import Authorship, write_segmentation

    names = enumerate(configuration.structures, start=1)
    masks = [Mask(name, labels == label) for label, name in names]
    file = f"{FOLDER}/{image.image_id}.dcm"
    try:
        write_segmentation(masks, originals, study.folder.path / file, Authorship("lucency", is_automatic=True))
    except RefusedImage as reason:
        study.desk.say(f"No DICOM segmentation of {image.image_id}: {reason}")
        return []
    return [file]
