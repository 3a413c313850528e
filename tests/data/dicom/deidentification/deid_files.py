"""Write DICOM files of an invented patient, for tests of de-identification."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from lucency.data.dicom.deidentification.engine import Cleaned, deidentify
from lucency.data.dicom.deidentification.identifiers import find_identifiers
from lucency.data.dicom.deidentification.parsing import parse
from lucency.data.dicom.deidentification.pixels import clean_pixels
from lucency.data.dicom.deidentification.pseudonyms import Pseudonyms
from lucency.domain.data_plan import Deidentification

KEY = Pseudonyms(b"a key of thirty-two bytes, no more")
RAMP = np.arange(64, dtype="<u2").reshape(8, 8)


def patient_file(stored: NDArray[Any] = RAMP, **elements: Any) -> Dataset:
    """Return an image of Jane Doe; elements override, None leaves one out."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = CTImageStorage
    header.SOPInstanceUID, header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.3.4", "1.2.3", "1.2.3.1"
    header.PatientName, header.PatientID, header.PatientBirthDate = "Doe^Jane", "8812734", "19580312"
    header.PatientSex, header.StudyDate, header.StudyTime, header.Modality = "F", "20200229", "101112", "CT"
    header.Rows, header.Columns = stored.shape[:2]
    header.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    header.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = header.BitsStored = 8 * stored.dtype.itemsize
    header.HighBit = header.BitsAllocated - 1
    header.PixelRepresentation = int(stored.dtype.kind == "i")
    header.PixelData = stored.tobytes()
    header["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        if value is None:
            del header[keyword]
        else:
            setattr(header, keyword, value)
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    return header


def as_bytes(header: Dataset) -> bytes:
    """Return a dataset as the bytes of a file."""
    file = io.BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()


def write_file(path: Path, header: Dataset) -> Path:
    """Write a dataset as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(header))
    return path


def cleaned(content: bytes | Dataset, key: Pseudonyms = KEY, **settings: Any) -> Cleaned:
    """De-identify the bytes of a file, without looking at the picture."""
    parsed = parse(content if isinstance(content, bytes) else as_bytes(content))
    return deidentify(parsed, clean_pixels(parsed), find_identifiers(parsed.header), Deidentification(**settings), key)


def text_mask(size: int, text: str, height: int, at: tuple[int, int] = (12, 14)) -> NDArray[np.float64]:
    """Return how much of each pixel a text covers, 0 to 1, axes (row, column)."""
    canvas = Image.new("L", (size, size))
    ImageDraw.Draw(canvas).text(at, text, fill=255, font=ImageFont.load_default(height))
    return np.asarray(canvas) / 255
