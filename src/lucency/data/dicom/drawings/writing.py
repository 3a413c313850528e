"""Write masks as a DICOM segmentation (SEG) of the images that they were drawn on."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lucency import __version__
from lucency.data.dicom.drawings.coded_names import Code, coded_name
from lucency.data.dicom.drawings.grids import SourceImage, source_image
from lucency.data.dicom.header import silence_libraries
from lucency.data.dicom.maker import MAKER
from lucency.data.geometry.voxels import MOST_VOXELS
from lucency.data.reading import RefusedImage, ignore_warnings_of
from lucency.domain.masks import Mask
from lucency.provenance import atomic_file

_HIGHEST = 255
"""The stored value of a share of 1 in a fractional segmentation."""

_MUST_BE_THERE = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate"),
    "StudyTime",
)
"""What every image should have, empty or not (type 2)."""


@dataclass(frozen=True)
class Authorship:
    """Who drew the masks, and when."""

    name: str = ""
    """The person, or the name of the network that drew them."""
    is_automatic: bool = False
    """True where no person drew them."""
    version: str = __version__
    """Of what drew them, if it is automatic."""
    when: datetime | None = None
    """Now, unless it is given; then the same masks of the same images give the same file, to the byte."""


def write_segmentation(
    masks: Sequence[Mask], files: Sequence[Path], out: Path, authorship: Authorship | None = None
) -> None:
    """Write masks on the grid of the one image that `files` hold, one segment each; patient and study are the image's.

    Masks may overlap. As soon as one of them is fractional, all are written as shares in steps of 1/255.

    Raises:
        RefusedImage: the files hold no image, several, or one whose slices had to be resampled or do not tell where they
            lie; a mask has another size or values beyond 0 to 1, or there is none.
        StorageError: the file cannot be written.
    """
    silence_libraries()
    ignore_warnings_of("highdicom")
    image = source_image(files)
    _refuse_misfit(masks, image)
    authorship = authorship or Authorship()
    when = authorship.when or datetime.now()
    is_fractional = any(mask.voxels.dtype.kind == "f" for mask in masks)
    pixels = _pixels(masks, image, is_fractional)
    uids = Uids(_digest(masks, pixels, image, authorship))
    try:
        segmentation = _segmentation(image, pixels, is_fractional, masks, authorship, uids)
        content = _encoded(segmentation, image, when, uids)
    except Exception:  # what a damaged header lacks or holds can raise anything in pydicom and highdicom
        raise RefusedImage("E_BAD_HEADER") from None
    with atomic_file(out) as file:
        file.write(content)


def _refuse_misfit(masks: Sequence[Mask], image: SourceImage) -> None:
    if not masks:
        raise RefusedImage("E_BAD_HEADER")
    if image.is_resampled:
        raise RefusedImage("E_MASK_PLACE")
    if len(image.slices) > 1 and image.grid.affine is None:
        raise RefusedImage("E_NOGEOM")
    n_pixels = image.grid.shape[image.turn.order.index(1)] * image.grid.shape[image.turn.order.index(2)]
    # highdicom (0.28) packs frames of fewer than eight pixels wrongly.
    if n_pixels < 8 or any(mask.voxels.shape != image.grid.shape for mask in masks):
        raise RefusedImage("E_MASK_SIZE")
    # Written as a negation, so that what is no number is refused too.
    if any(mask.voxels.size and not (mask.voxels.min() >= 0 and mask.voxels.max() <= 1) for mask in masks):
        raise RefusedImage("E_MASK_VALUES")
    if len(masks) * int(np.prod(image.grid.shape, dtype=object)) > 2 * MOST_VOXELS:
        raise RefusedImage("E_SIZEBOMB")


def _pixels(masks: Sequence[Mask], image: SourceImage, is_fractional: bool) -> NDArray[Any]:
    """Return the masks as their images were stored, axes (slice or frame, row, column, segment)."""
    turned = [image.turn.back(mask.voxels) for mask in masks]
    pixels = np.stack(turned, axis=-1).astype(np.float32 if is_fractional else np.uint8)
    if len({one.path for one in image.slices}) == 1:
        pixels = pixels[np.argsort([one.frame for one in image.slices])]
    return pixels


def _digest(masks: Sequence[Mask], pixels: NDArray[Any], image: SourceImage, authorship: Authorship) -> bytes:
    """Hash all that the segmentation is made from but the time: made again it is the same object, with the same UIDs."""
    names = [(mask.name, mask.number, mask.reader) for mask in masks]
    author = authorship.name, authorship.is_automatic, authorship.version
    words = repr((names, image.grid.instance_uids, pixels.shape, pixels.dtype.str, author, __version__))
    return hashlib.sha256(words.encode() + pixels.tobytes()).digest()


@dataclass(frozen=True)
class Uids:
    """Unique identifiers that follow from what is written."""

    digest: bytes

    def of(self, purpose: str) -> str:
        """Return a UID (PS3.5 B.2) for one purpose."""
        number = hashlib.sha256(self.digest + purpose.encode()).digest()[:16]
        return f"2.25.{int.from_bytes(number)}"


def _segmentation(
    image: SourceImage,
    pixels: NDArray[Any],
    is_fractional: bool,
    masks: Sequence[Mask],
    authorship: Authorship,
    uids: Uids,
) -> Dataset:
    """Let highdicom make the object."""
    from highdicom.seg import Segmentation

    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)  # its remarks may quote the header
    readers = sorted({mask.reader for mask in masks} - {""})
    person = "" if authorship.is_automatic else authorship.name or (readers[0] if len(readers) == 1 else "")
    return Segmentation(
        source_images=headers_of([one.path for one in image.slices]),
        pixel_array=pixels,
        segmentation_type="FRACTIONAL" if is_fractional else "BINARY",
        tile_pixel_array=image.is_tiled,
        segment_descriptions=[_description(number, mask, authorship) for number, mask in enumerate(masks, start=1)],
        series_instance_uid=uids.of("series"),
        series_number=1,
        sop_instance_uid=uids.of("instance"),
        instance_number=1,
        **MAKER,
        max_fractional_value=_HIGHEST,
        content_label="SEGMENTATION",
        content_creator_name=person or None,
        series_description="Segmentation by lucency",
    )


def headers_of(paths: Iterable[Path]) -> list[Dataset]:
    """Read headers, each file once, with all that an object about these images has to copy from them."""
    headers: list[Dataset] = []
    for path in dict.fromkeys(paths):
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        header.decode()
        header.SpecificCharacterSet = "ISO_IR 192"  # UTF-8: readers name structures in every language
        for keyword in _MUST_BE_THERE:
            if keyword not in header:
                setattr(header, keyword, None)
        headers.append(header)
    return headers


def _description(number: int, mask: Mask, authorship: Authorship) -> Any:
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from highdicom.sr import CodedConcept

    name = coded_name(mask.name)
    algorithm = AlgorithmIdentificationSequence(
        name=authorship.name or "lucency",
        family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=authorship.version,
    )
    return SegmentDescription(
        segment_number=number,
        segment_label=_label(mask.name) or f"segment {number}",
        segmented_property_category=_concept(name.category),
        segmented_property_type=_concept(name.kind),
        algorithm_type="AUTOMATIC" if authorship.is_automatic else "MANUAL",
        algorithm_identification=algorithm if authorship.is_automatic else None,
    )


def _label(name: str) -> str:
    """Write a name as a header can hold it: 64 characters in one line, without the sign that separates values."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name.replace("\\", "/"))
    return " ".join(printable.split())[:64].rstrip()


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, "SCT", code.meaning)


def _encoded(segmentation: Dataset, image: SourceImage, when: datetime, uids: Uids) -> bytes:
    _date(segmentation, when, uids)
    if image.grid.affine is None:
        segmentation.PatientOrientation = None  # must be there where no position is, and may be empty
    content = BytesIO()
    segmentation.save_as(content, enforce_file_format=True)
    return content.getvalue()


def _date(segmentation: Dataset, when: datetime, uids: Uids) -> None:
    """Replace what highdicom takes from the clock and from chance."""
    for keyword in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
        if keyword in segmentation:
            setattr(segmentation, keyword, when.strftime("%Y%m%d"))
    for keyword in ("ContentTime", "InstanceCreationTime", "SeriesTime"):
        if keyword in segmentation:
            setattr(segmentation, keyword, when.strftime("%H%M%S.%f"))
    segmentation.ContributingEquipmentSequence[-1].ContributionDateTime = when.strftime("%Y%m%d%H%M%S.%f")
    for sequence in (segmentation.DimensionOrganizationSequence, segmentation.DimensionIndexSequence):
        for item in sequence:
            item.DimensionOrganizationUID = uids.of("dimensions")
