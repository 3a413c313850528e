"""Whether a drawing speaks of the image that it is laid upon."""

from collections.abc import Iterable

from pydicom.dataset import Dataset

from lucency.data.dicom.header import text_of
from lucency.data.reading import RefusedImage
from lucency.domain.masks import ImageGrid


def refuse_other_image(referenced: set[str], frame_uids: set[str], grid: ImageGrid, notes: list[str]) -> None:
    """Compare the instances and the frames of reference that a drawing names with those of the image.

    Raises:
        RefusedImage: they are those of another image, or tell nothing about it.
    """
    known = set(filter(None, grid.instance_uids))
    has_other_frame = bool(frame_uids) and bool(grid.frame_of_reference_uid)
    has_other_frame = has_other_frame and grid.frame_of_reference_uid not in frame_uids
    if known and referenced:
        if not known & referenced:
            raise RefusedImage("E_MASK_OTHER_IMAGE")
        if has_other_frame:
            # Some programs make up a frame of reference; it is the slices themselves that are named.
            notes.append("N_MASK_FRAME_OF_REFERENCE")
        return
    if has_other_frame:
        raise RefusedImage("E_MASK_OTHER_IMAGE")
    if grid.affine is None or (known and not (frame_uids and grid.frame_of_reference_uid)):
        raise RefusedImage("E_MASK_BROKEN_REFERENCE")
    notes.append("N_MASK_UNREFERENCED")


def refuse_added_slices(grid: ImageGrid) -> None:
    """Refuse an image with slices that were interpolated: a drawing would have gaps there, where nobody drew or did not."""
    if grid.has_added_slices:
        raise RefusedImage("E_MASK_UNEVEN")


def items_of(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent."""
    return list(dataset.get(keyword) or [])


def instances_in(items: Iterable[Dataset]) -> set[str]:
    """Return the SOP Instance UIDs that items refer to."""
    return set(filter(None, (text_of(item, "ReferencedSOPInstanceUID") for item in items)))
