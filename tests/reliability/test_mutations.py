"""Damage files at random: whatever is in a file, it is read, noted or refused, soon and without an exception."""

import gzip
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from lucency.data import codes
from lucency.data.volumes import read_folder

MOST_SECONDS = 10.0
BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
HU = np.random.default_rng(8).integers(0, 4096, (3, 8, 9)).astype(np.uint16)

Case = tuple[str, bytes]
"""File name and content."""


def bases() -> list[tuple[int, list[Case]]]:
    """Return the files to damage and how often; of a series, one file is damaged at a time."""
    series = [(f"{k}.dcm", slice_of_ct(k)) for k in range(3)]
    bundled = {name: [(name, (BUNDLED / name).read_bytes())] for name in (*UNCOMPRESSED, *COMPRESSED)}
    nifti = nibabel.Nifti1Image(HU.astype(np.int16), np.diag([1.0, 2, 3, 1])).to_bytes()
    return [
        (2_500, series),
        (2_500, [("enhanced.dcm", enhanced_ct())]),
        *((330, bundled[name]) for name in UNCOMPRESSED),
        *((130, bundled[name]) for name in COMPRESSED),
        (1_500, [("a.nii", nifti)]),
        (1_000, [("a.nii.gz", gzip.compress(nifti))]),
    ]


UNCOMPRESSED = (
    "MR_small.dcm",
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "image_dfl.dcm",
    "examples_palette.dcm",
    "badVR.dcm",
)
COMPRESSED = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_rle_2frame.dcm")


@pytest.mark.slow
def test_ten_thousand_damaged_files_end_well(tmp_path, tally, capfd):
    """No exception, no hang, no code without words: a parser meets every kind of damage sooner or later."""
    faults: list[str] = []
    n_all = 0
    for n_mutations, files in bases():
        for number, damaged in enumerate(mutations(files, n_mutations, seed=n_all)):
            faults += fault_of(tmp_path / "case", damaged, f"{files[0][0]}, mutation {number}")
            n_all += 1
    assert n_all == 10_000
    assert not faults[:5]
    assert capfd.readouterr() == ("", "")  # a remark of a library on the terminal may quote the header
    tally("byte mutations without an uncaught error or a hang", n_all - len(faults), n_all)


def fault_of(folder: Path, files: list[Case], name: str) -> list[str]:
    """Read damaged files through the door, and say what was wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file, content in files:
        (folder / file).write_bytes(content)
    begin = time.perf_counter()
    try:
        outcomes = list(read_folder(folder))
    except Exception as error:  # an uncaught error is what this test looks for
        return [f"{name}: {type(error).__name__}"]
    if time.perf_counter() - begin > MOST_SECONDS:
        return [f"{name}: took too long"]
    known = all({one.code, *one.notes} - {""} <= codes.EXPLANATIONS.keys() for one in outcomes)
    whole = all((one.volume is None) == bool(one.code) for one in outcomes)
    return [] if known and whole else [f"{name}: an outcome that is none of the three"]


def mutations(files: list[Case], n: int, seed: int) -> Iterator[list[Case]]:
    """Change, cut, leave out or double a few bytes of one of the files; headers are hit more often than pixels."""
    draw = np.random.default_rng(seed)
    for _ in range(n):
        which = int(draw.integers(len(files)))
        content = bytearray(files[which][1])
        for _ in range(int(draw.integers(1, 5))):
            reach = min(int(draw.choice([400, 1500, len(content)])), len(content))
            content[int(draw.integers(reach))] = int(draw.choice([0, 1, 127, 255, draw.integers(256)]))
        at, n_bytes = int(draw.integers(len(content))), int(draw.integers(1, 40))
        match draw.integers(8):
            case 0:
                del content[at:]
            case 1:
                del content[at : at + n_bytes]
            case 2:
                content[at:at] = content[max(0, at - n_bytes) : at]
        yield [(name, bytes(content) if number == which else whole) for number, (name, whole) in enumerate(files)]


def slice_of_ct(k: int) -> bytes:
    header = ct_header(HU[k], f"1.2.3.{k + 1}")
    header.ImagePositionPatient, header.ImageOrientationPatient = [0, 0, 2.5 * k], [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.RescaleSlope, header.RescaleIntercept = [1, 1], 1, -1024
    return as_bytes(header)


def enhanced_ct() -> bytes:
    header = ct_header(HU, "1.2.3.4")
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    header.NumberOfFrames = 3
    shared, plane, measures, values = Dataset(), Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient, measures.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
    values.RescaleSlope, values.RescaleIntercept = 1, -1024
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    shared.PixelValueTransformationSequence = [values]
    header.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for k in (2, 0, 1):
        place, frame = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 2.5 * k]
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    header.PerFrameFunctionalGroupsSequence = frames
    return as_bytes(header)


def ct_header(stored: np.ndarray, uid: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = uid
    header.Modality, header.PatientID, header.StudyInstanceUID, header.SeriesInstanceUID = "CT", "1", "1.2", "1.2.3"
    header.Rows, header.Columns = stored.shape[-2:]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 12, 11, 0
    header.PixelData = stored.tobytes()
    header["PixelData"].VR = "OW"
    return header


def as_bytes(header: Dataset) -> bytes:
    buffer = pydicom.filebase.DicomBytesIO()
    FileDataset(None, header, file_meta=header.file_meta, preamble=bytes(128)).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
