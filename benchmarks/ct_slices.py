"""Make CT slices for the benchmarks: headers as scanners write them, by the hundred thousand."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

N_SLICES = 250
"""Slices of a series."""

SIZE = 512
"""Rows, and columns."""

_PATIENT, _SLICE = b"1777777", b"888888"
"""Where the numbers of patient and slice stand in the template."""

_ROOT = "1.2.826.0.1.3680043.8.498"
_DATE = "20240229"
_ELEMENTS: dict[str, Any] = {
    "SpecificCharacterSet": "ISO_IR 100",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    **{f"{what}Date": _DATE for what in ("InstanceCreation", "Study", "Series", "Acquisition", "Content")},
    **{f"{what}Time": "101530.25" for what in ("InstanceCreation", "Study", "Series")},
    **{f"{what}Time": f"101530.{_SLICE.decode()}" for what in ("Acquisition", "Content")},
    "SOPClassUID": CTImageStorage,
    "SOPInstanceUID": f"{_ROOT}.{_PATIENT.decode()}.2.1{_SLICE.decode()}",
    "StudyInstanceUID": f"{_ROOT}.{_PATIENT.decode()}",
    "SeriesInstanceUID": f"{_ROOT}.{_PATIENT.decode()}.2",
    "FrameOfReferenceUID": f"{_ROOT}.{_PATIENT.decode()}.1",
    "AccessionNumber": "A0001",
    "Modality": "CT",
    "Manufacturer": "ACME",
    "InstitutionName": "Klinik für Radiologie",
    "InstitutionAddress": "Main street 1",
    "ReferringPhysicianName": "Nobody^Anna",
    "StationName": "CT1",
    "StudyDescription": "CT chest",
    "SeriesDescription": "Chest 1.0 B70f",
    "InstitutionalDepartmentName": "Radiology",
    "PerformingPhysicianName": "Nobody^Bert",
    "OperatorsName": "Nobody^Carl",
    "ManufacturerModelName": "Model 64",
    "PatientName": "Nobody^Zoë",
    "PatientID": f"P{_PATIENT.decode()}",
    "PatientBirthDate": "19500101",
    "PatientSex": "F",
    "PatientAge": "074Y",
    "PatientSize": "1.70",
    "PatientWeight": "70",
    "PregnancyStatus": 4,
    "BodyPartExamined": "CHEST",
    "ScanOptions": "HELICAL",
    "SliceThickness": "1",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "DeviceSerialNumber": "4711",
    "SoftwareVersions": "1.2",
    "ProtocolName": "Thorax",
    "ReconstructionDiameter": "360",
    "DistanceSourceToDetector": "1040",
    "DistanceSourceToPatient": "570",
    "GantryDetectorTilt": "0",
    "TableHeight": "150.5",
    "RotationDirection": "CW",
    "ExposureTime": "500",
    "XRayTubeCurrent": "200",
    "Exposure": "100",
    "FilterType": "0",
    "GeneratorPower": "34",
    "FocalSpots": "1.2",
    "DateOfLastCalibration": _DATE,
    "ConvolutionKernel": "B70f",
    "PatientPosition": "HFS",
    "ExposureModulationType": "XYZ_EC",
    "CTDIvol": 7.25,
    "StudyID": "1",
    "SeriesNumber": "3",
    "AcquisitionNumber": "2",
    "InstanceNumber": _SLICE.decode(),
    "ImagePositionPatient": ["-180.000000", "-180.000000", f"{_SLICE.decode()}.5"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "SliceLocation": f"{_SLICE.decode()}.5",
    "PositionReferenceIndicator": "",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": SIZE,
    "Columns": SIZE,
    "PixelSpacing": ["0.703125", "0.703125"],
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 1,
    "WindowCenter": ["-600", "40"],
    "WindowWidth": ["1600", "400"],
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
    "RequestingPhysician": "Nobody^Dora",
    "RequestedProcedureDescription": "CT chest",
}


def write_headers(folder: Path, n_files: int) -> list[Path]:
    """Write slices whose pixels are a hole in the file: every header differs, and a file takes few kB of the disk."""
    paths = []
    for n in range(n_files):
        patient, number = divmod(n, N_SLICES)
        paths.append(folder / f"P{patient:05d}" / f"{number:04d}.dcm")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        with paths[-1].open("wb") as file:
            file.write(_header(patient, number))
            file.truncate(file.tell() + 2 * SIZE * SIZE)
    return paths


def write_series(folder: Path, stored: NDArray[np.int16]) -> list[Path]:
    """Write one series; axes (slice, row, column), 512 × 512 each, 1 mm apart, Hounsfield units + 1024."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}.dcm" for number in range(len(stored))]
    for number, (path, pixels) in enumerate(zip(paths, stored, strict=True)):
        path.write_bytes(_header(0, number) + pixels.astype("<i2").tobytes())
    return paths


def _header(patient: int, number: int) -> bytes:
    """Return all of a file in front of its pixels."""
    return _template().replace(_PATIENT, b"1%06d" % patient).replace(_SLICE, b"%06d" % number)


@cache
def _template() -> bytes:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in _ELEMENTS.items():
        setattr(header, keyword, value)
    header.ReferencedImageSequence = [_reference(), _reference()]
    header.ProcedureCodeSequence = [_code()]
    header["ProcedureCodeSequence"].is_undefined_length = True
    header.add_new(0x00290010, "LO", "ACME CSA HEADER")
    for element in range(10):
        header.add_new(0x00291000 + element, "OB", bytes(64))
    header.add_new("PixelData", "OW", b"")
    file = io.BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()[:-4] + (2 * SIZE * SIZE).to_bytes(4, "little")


def _reference() -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, f"{_ROOT}.8"
    return item


def _code() -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "CTCHEST", "99ACME", "CT chest"
    item.is_undefined_length_sequence_item = True
    return item
