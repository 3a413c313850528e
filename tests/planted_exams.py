"""Write made-up exams whose headers are known, to put into a PACS."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.8.498"
CLASSES = {"CT": CTImageStorage, "DX": DigitalXRayImageStorageForPresentation}


@dataclass(frozen=True)
class PlantedSeries:
    """One series with what its headers say."""

    exam: int
    number: int
    patient: str
    accession: str = "A1"
    date: str = "20200101"
    modality: str = "CT"
    exam_description: str = "CT Thorax"
    description: str = "Lung 1.0"
    body_part: str = "CHEST"
    n_instances: int = 3

    @property
    def exam_uid(self) -> str:
        """Study Instance UID."""
        return f"{ROOT}.{self.exam}"

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return f"{self.exam_uid}.{self.number}"

    def instance_uids(self) -> list[str]:
        """Return all SOP Instance UIDs."""
        return [f"{self.uid}.{instance}" for instance in range(1, self.n_instances + 1)]


def write_series(series: PlantedSeries, folder: Path, size: int = 16) -> list[Path]:
    """Write the files of a series with random pixels, different in each."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, uid in enumerate(series.instance_uids(), start=1):
        pixels = np.random.default_rng(zlib.crc32(uid.encode())).integers(0, 4096, (size, size), np.uint16)
        path = folder / f"{uid}.dcm"
        _dataset(series, uid, number, pixels).save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def _dataset(series: PlantedSeries, uid: str, number: int, pixels: np.ndarray) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = CLASSES[series.modality]
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = uid
    header.StudyInstanceUID, header.SeriesInstanceUID = series.exam_uid, series.uid
    header.PatientID, header.PatientName = series.patient, f"Planted^{series.patient}"
    header.AccessionNumber, header.StudyDate = series.accession, series.date
    header.StudyDescription, header.SeriesDescription = series.exam_description, series.description
    header.Modality, header.BodyPartExamined = series.modality, series.body_part
    header.InstanceNumber, header.SeriesNumber = number, series.number
    header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number]
    header.PixelSpacing, header.SliceThickness = [1, 1], 1
    header.Rows, header.Columns = pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 12, 11, 0
    header.PixelData = pixels.tobytes()
    return header
