"""Read NIfTI files: .nii and .nii.gz, of one volume or several."""

import logging
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from lucency.data.geometry.orientation import canonical
from lucency.data.geometry.voxels import MOST_VOXELS, voxels
from lucency.data.reading import RefusedImage, ignore_warnings_of
from lucency.domain.volume import Volume

MOST_VOLUMES = 100_000
"""More volumes are no recording of a patient."""

_FARTHEST_START = 2**24
"""Data that begins later would make one unpack a file for nothing: extensions are smaller."""

_LARGEST_DISAGREEMENT = 0.01
"""Largest difference between the two ways of telling the orientation, in affine entries, that is rounding."""

MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
"""Millimetres in the units that a header may name."""


def n_volumes_in(path: Path) -> int:
    """Return how many volumes a file holds, going by its header.

    Raises:
        RefusedImage: the header is damaged or claims too much.
    """
    return int(np.prod(_open(path).shape[3:], dtype=np.int64))


def read_nifti(path: Path, number: int, notes: list[str]) -> Volume:
    """Read one of the volumes of a file, counted from 0.

    Raises:
        RefusedImage: the file is damaged or ends too early.
    """
    image = _open(path)
    place = np.unravel_index(number, image.shape[3:], order="F") if len(image.shape) > 3 else ()
    whole = (slice(None),) * min(len(image.shape), 3)
    try:
        data = np.asarray(image.dataobj[(*whole, *place)])
    except (EOFError, OSError) as error:
        is_cut = isinstance(error, EOFError) or "bytes" in str(error)
        raise RefusedImage("E_TRUNCATED" if is_cut else "E_UNREADABLE") from None
    except zlib.error:
        raise RefusedImage("E_UNREADABLE") from None
    data = _as_colours(data)
    data = data.reshape(*data.shape[:3], *(1,) * (3 - data.ndim)) if data.ndim < 3 else data
    values = np.transpose(data, (2, 1, 0, *range(3, data.ndim)))
    values = np.ascontiguousarray(values) if values.ndim == 4 else voxels(values, notes)
    affine = _affine(image, notes)[:, (2, 1, 0, 3)]
    if len(values) > 1:
        values, affine = canonical(values, affine)
    return Volume(np.ascontiguousarray(values), affine)


def _open(path: Path) -> Any:
    """Open a file and check its claims before memory is taken for them."""
    ignore_warnings_of("nibabel")
    logging.getLogger("nibabel.global").disabled = True
    try:
        image: Any = nibabel.load(path)
    except (ImageFileError, EOFError):
        raise RefusedImage("E_UNREADABLE") from None
    if not isinstance(image, nibabel.Nifti1Image):
        raise RefusedImage("E_UNREADABLE")
    shape = [int(side) for side in image.shape]
    if not shape or min(shape) < 1 or len(shape) > 7:
        raise RefusedImage("E_BAD_HEADER")
    if np.prod(shape[:3], dtype=np.float64) > MOST_VOXELS or np.prod(shape[3:], dtype=np.float64) > MOST_VOLUMES:
        raise RefusedImage("E_SIZEBOMB")
    data: Any = image.dataobj
    if not 0 <= data.offset <= _FARTHEST_START:
        raise RefusedImage("E_BAD_HEADER")
    return image


def _as_colours(data: NDArray[Any]) -> NDArray[Any]:
    """Unfold pixels of three named colours into an axis of their own."""
    if data.dtype.names is None:
        if data.dtype.kind not in "iubf":
            raise RefusedImage("E_CODEC")
        return data
    if data.dtype.names[:3] != ("R", "G", "B"):
        raise RefusedImage("E_CODEC")
    return np.stack([data[name] for name in "RGB"], axis=-1)


def _affine(image: Any, notes: list[str]) -> NDArray[np.float64]:
    """Return the affine of the file in millimetres: sform before qform, as the format prescribes."""
    header = image.header
    sform, has_sform = header.get_sform(coded=True)
    qform, has_qform = header.get_qform(coded=True)
    if has_sform and has_qform and not np.allclose(sform, qform, rtol=0, atol=_LARGEST_DISAGREEMENT):
        notes.append("N_FORMS_DISAGREE")
    if not has_sform and not has_qform:
        notes.append("N_NO_ORIENTATION")
    affine = np.array(sform if has_sform else qform if has_qform else header.get_base_affine(), np.float64)
    affine[:3] *= MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not lengths.min() > 0 or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
        raise RefusedImage("E_BAD_HEADER")
    if np.abs((affine[:3, :3] / lengths).T @ (affine[:3, :3] / lengths) - np.eye(3)).max() > 0.01:
        notes.append("N_SHEARED")
    return affine
