"""Read NRRD and MetaImage files (.nrrd, .mha, .mhd) by the Insight Toolkit, and by no other reader of it."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from lucency.data.geometry.orientation import canonical
from lucency.data.geometry.voxels import MOST_VOXELS, voxels
from lucency.data.reading import RefusedImage
from lucency.domain.volume import Volume

_READERS = {".nrrd": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}
SUFFIXES = tuple(_READERS)

_LONGEST_HEADER = 2**16

_DATA_FILE = re.compile(rb"^\s*(?:ElementDataFile\s*=|data ?file\s*:)\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_ORIENTATION = re.compile(rb"^\s*(?:TransformMatrix|Rotation|Orientation|space directions)\s*[=:]", re.I | re.M)

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def n_volumes_in(path: Path) -> int:
    """Return how many volumes a file holds, going by its header.

    Raises:
        RefusedImage: the header claims too much, or leads out of the folder.
        RuntimeError: the header is damaged.
    """
    size = _open(path).GetSize()
    return int(size[3]) if len(size) == 4 else 1


def read_grid(path: Path, number: int, notes: list[str]) -> Volume:
    """Read one of the volumes of a file, counted from 0.

    Raises:
        RefusedImage: the file is of a kind that is no volume.
        RuntimeError: the file is damaged.
    """
    import SimpleITK

    reader = _open(path)
    if not _ORIENTATION.search(_text_header(path)):
        notes.append("N_NO_ORIENTATION")
    size = reader.GetSize()
    if len(size) == 4:
        reader.SetExtractSize((*size[:3], 0))
        reader.SetExtractIndex((0, 0, 0, number))
    image = reader.Execute()
    values = SimpleITK.GetArrayFromImage(image)
    n_axes = image.GetDimension()
    values = values if n_axes == 3 else values[None]
    if values.ndim == 4 and (values.dtype not in (np.uint8, np.uint16) or values.shape[-1] != 3):
        raise RefusedImage("E_CODEC")
    values = values if values.ndim == 4 else voxels(values, notes)
    affine = _affine(image, n_axes)
    if len(values) > 1:
        values, affine = canonical(values, affine)
    return Volume(np.ascontiguousarray(values), affine)


def _open(path: Path) -> Any:
    """Read what the header says, after making sure that the data lies in the file or beside it."""
    import SimpleITK

    _refuse_data_elsewhere(path)
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(_READERS[path.suffix.lower()])
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    size = reader.GetSize()
    if len(size) not in (2, 3, 4) or min(size) < 1:
        raise RefusedImage("E_BAD_HEADER")
    if np.prod(size[:3], dtype=np.float64) > MOST_VOXELS:
        raise RefusedImage("E_SIZEBOMB")
    return reader


def _text_header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LONGEST_HEADER)


def _refuse_data_elsewhere(path: Path) -> None:
    """Refuse a header that names a file outside of its own folder, or a list of files."""
    for name in _DATA_FILE.findall(_text_header(path)):
        if name == b"LOCAL":
            return
        data = path.parent / name.decode("utf-8", "surrogateescape")
        if b"/" in name or b"\\" in name or b"%" in name or not data.is_file() or data.is_symlink():
            raise RefusedImage("E_BAD_HEADER")


def _affine(image: Any, n_axes: int) -> np.ndarray:
    """Return the affine, RAS+, from (slice, row, column, 1)."""
    directions = np.eye(3)
    directions[:n_axes, :n_axes] = np.array(image.GetDirection()).reshape(n_axes, n_axes)
    spacing, origin = np.ones(3), np.zeros(3)
    spacing[:n_axes], origin[:n_axes] = image.GetSpacing(), image.GetOrigin()
    affine = np.eye(4)
    affine[:3, :3] = (_LPS_TO_RAS @ directions * spacing)[:, ::-1]
    affine[:3, 3] = _LPS_TO_RAS @ origin
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise RefusedImage("E_BAD_HEADER")
    return affine
