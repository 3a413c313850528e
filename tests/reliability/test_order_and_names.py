"""Neither the order of files, nor their names and folders, nor their transfer syntax changes a volume."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from bad_inputs.codecs import compressed, stream_by_gdcm, stream_by_pydicom
from bad_inputs.geometry import enhanced_ct
from bad_inputs.phantom import AXIAL, CORONAL, Person, ct_series, file_bytes, hounsfield, turned
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from lucency.data.volumes import read_folder

N_DRAWS = 60
PERSON = Person("order and names")
SHAPE = (8, 32, 40)
"""Large enough for JPEG 2000."""
ENCODE = [
    *(
        lambda header, syntax=syntax: file_bytes(header, syntax)
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    ),
    *(
        lambda header, syntax=syntax, compress=compress: compressed(header, syntax, [compress(header, syntax)])
        for syntax, compress in (
            (RLELossless, stream_by_pydicom),
            (JPEG2000Lossless, stream_by_pydicom),
            (JPEGLosslessSV1, stream_by_gdcm),
            (JPEGLSLossless, stream_by_gdcm),
        )
    ),
]


def series() -> list[list[Dataset]]:
    """Return an axial, an oblique and a coronal series, and one of two acquisitions."""
    two = ct_series(PERSON, hounsfield(84, SHAPE), series=4) + ct_series(PERSON, hounsfield(85, SHAPE), series=4)
    for number, header in enumerate(two):
        header.SOPInstanceUID, header.AcquisitionNumber = f"{header.SeriesInstanceUID}.{number}", 1 + number // SHAPE[0]
    return [
        ct_series(PERSON, hounsfield(81, SHAPE), AXIAL, series=1),
        ct_series(PERSON, hounsfield(82, SHAPE), turned(AXIAL, (11.0, 7.0, -20.0)), series=2),
        ct_series(PERSON, hounsfield(83, SHAPE), CORONAL, series=3),
        two,
    ]


def volumes(folder: Path) -> set[tuple[bytes, bytes]]:
    """Return the bytes of the values and of the affine of every volume in a folder."""
    found = [outcome.volume for outcome in read_folder(folder) if outcome.volume]
    return {(np.ascontiguousarray(volume.values).tobytes(), volume.affine.tobytes()) for volume in found}


def scatter(folder: Path, headers: list[Dataset], draw: np.random.Generator) -> None:
    """Write the files in a random order under random names into random folders, each in a random transfer syntax."""
    for at in draw.permutation(len(headers)):
        place = folder / "/".join(draw.choice(["A", "b", "ç"], draw.integers(0, 3)))
        place.mkdir(parents=True, exist_ok=True)
        encode = ENCODE[draw.integers(len(ENCODE))]
        suffix = draw.choice(["", ".dcm", ".DCM", ".ima"])
        (place / f"{draw.integers(1 << 40):x}{suffix}").write_bytes(encode(deepcopy(headers[at])))


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[bytes, bytes]]:
    """Return the volumes of the same series written in order, uncompressed, under plain names."""
    folder = tmp_path_factory.mktemp("order")
    for number, header in enumerate(header for headers in series() for header in headers):
        (folder / f"{number:03d}.dcm").write_bytes(file_bytes(header))
    found = volumes(folder)
    assert len(found) == 5
    return found


def test_order_names_folders_and_transfer_syntax_change_nothing(
    tmp_path: Path, in_order: set[tuple[bytes, bytes]], tally
):
    """A volume is what its headers say, and never what a file is called or how it is packed."""
    headers = [header for each in series() for header in each]
    n_same = 0
    for seed in range(N_DRAWS):
        folder = tmp_path / str(seed)
        scatter(folder, headers, np.random.default_rng(seed))
        n_same += volumes(folder) == in_order
    tally("permutations, renamings and re-encodings with the same volumes", n_same, N_DRAWS)


def test_the_order_of_frames_changes_nothing(tmp_path: Path):
    """An enhanced file may hold its frames in any order."""
    hu, found = hounsfield(86), set()
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(hu))
        folder = tmp_path / str(seed)
        folder.mkdir()
        header = enhanced_ct(PERSON, hu[order], [AXIAL.position(k) for k in order])
        (folder / "enhanced.dcm").write_bytes(file_bytes(header))
        found |= volumes(folder)
    assert len(found) == 1
