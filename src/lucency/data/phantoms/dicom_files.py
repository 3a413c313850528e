"""Writing a phantom as the DICOM file that its hospital would have sent."""

import hashlib
import io
from dataclasses import dataclass
from datetime import date, time
from typing import Literal

import numpy as np
import openjpeg.utils as openjpeg
import rle.utils as rle
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from lucency.data.phantoms.people import INSTITUTIONS, ISSUERS, STATIONS, Person

Brightness = NDArray[np.float32]
Stored = NDArray[np.unsignedinteger]
Compression = Literal["none", "rle", "jpeg2000"]


@dataclass(frozen=True)
class Header:
    """Everything a file says besides its pixels."""

    person: Person
    patient_id: str
    """As typed at the desk, which may differ from the person's own."""
    study_uid: str
    series_uid: str
    instance_uid: str
    accession: str
    exam_date: date
    exam_time: time
    view: str
    n_in_exam: int
    spacing_mm: tuple[float, float]
    """Rows, columns."""
    compression: Compression


def deterministic_uid(*words: object) -> str:
    """Return a UID that is a function of the words: 2.25 followed by a 128-bit number, as the standard allows."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def encode(brightness: Brightness, header: Header) -> bytes:
    """Return the bytes of a DICOM file.

    The first site sends CR images, MONOCHROME2, 12 bits, with rescale and window; the second DX images, MONOCHROME1
    (bone is stored dark), 8 bits, without a window.
    """
    dataset = _identity(header)
    _describe_image(dataset, header)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = {
        "none": ExplicitVRLittleEndian if header.person.site == "site-a" else ImplicitVRLittleEndian,
        "rle": RLELossless,
        "jpeg2000": JPEG2000Lossless,
    }[header.compression]
    store = _store_12_bits if header.person.site == "site-a" else _store_8_bits
    store(dataset, brightness, header.compression)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _identity(header: Header) -> Dataset:
    """Fill the patient, study and series modules."""
    person = header.person
    age = (header.exam_date - person.birth_date).days // 365.25
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = person.name
    dataset.PatientID = header.patient_id
    dataset.IssuerOfPatientID = ISSUERS[person.site]
    dataset.PatientBirthDate = person.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = person.sex
    dataset.PatientAge = f"{int(age):03d}Y"
    dataset.StudyInstanceUID = header.study_uid
    dataset.SeriesInstanceUID = header.series_uid
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = header.exam_date.strftime(
        "%Y%m%d"
    )
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = header.exam_time.strftime("%H%M%S")
    dataset.AccessionNumber = header.accession
    dataset.StudyID = header.accession[-4:]
    dataset.ReferringPhysicianName = person.physician
    dataset.InstitutionName = INSTITUTIONS[person.site]
    dataset.StationName = STATIONS[person.site]
    # The second site's technicians write signs that a careless web page would take for markup.
    dataset.StudyDescription = "Chest" if person.site == "site-a" else 'Chest <2 views> & "portable"'
    dataset.Manufacturer = "Lucency phantoms"
    dataset.ManufacturerModelName = "Invented"
    return dataset


def _describe_image(dataset: Dataset, header: Header) -> None:
    """Fill the image's place in the exam, its view and its geometry."""
    is_first_site = header.person.site == "site-a"
    dataset.SOPClassUID = ComputedRadiographyImageStorage if is_first_site else DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = header.instance_uid
    dataset.Modality = "CR" if is_first_site else "DX"
    dataset.SeriesNumber = dataset.InstanceNumber = str(header.n_in_exam)
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = header.view
    dataset.PatientOrientation = ["P", "F"] if header.view == "LL" else ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PixelSpacing = dataset.ImagerPixelSpacing = [round(spacing, 4) for spacing in header.spacing_mm]
    dataset.KVP = "110" if is_first_site else "125"
    if not is_first_site:
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.PresentationLUTShape = "INVERSE"
        dataset.PixelIntensityRelationship = "LOG"
        dataset.PixelIntensityRelationshipSign = -1
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", "0", "US"
        dataset.DetectorType = "SCINTILLATOR"
        dataset.AcquisitionContextSequence = []


def _store_12_bits(dataset: Dataset, brightness: Brightness, compression: Compression) -> None:
    stored = np.rint(250 + 3600 * brightness).astype("<u2")
    _store(dataset, stored, 12, "MONOCHROME2", compression)
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "2", "-500", "US"
    dataset.WindowCenter, dataset.WindowWidth = "3600", "7200"


def _store_8_bits(dataset: Dataset, brightness: Brightness, compression: Compression) -> None:
    stored = (255 - np.rint(255 * brightness)).astype("u1")
    _store(dataset, stored, 8, "MONOCHROME1", compression)


def _store(dataset: Dataset, stored: Stored, n_bits: int, photometric: str, compression: Compression) -> None:
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 * stored.itemsize
    dataset.BitsStored = n_bits
    dataset.HighBit = n_bits - 1
    dataset.PixelRepresentation = 0
    # The codecs are called by name: pydicom's own way to them needs one more package.
    if compression == "rle":
        frame = rle.encode_pixel_data(stored.tobytes(), dataset, byteorder="<")
    elif compression == "jpeg2000":
        frame = openjpeg.encode_array(stored, bits_stored=n_bits, photometric_interpretation=2)
    else:
        content = stored.tobytes()
        dataset.add_new("PixelData", "OW" if n_bits > 8 else "OB", content + b"\0" * (len(content) % 2))
        return
    dataset.add_new("PixelData", "OB", encapsulate([bytes(frame)]))
    dataset["PixelData"].is_undefined_length = True
