"""What is no stack of slices: screens, overviews, cines, radiographs, plans, segmentations, reports."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from .case import Expected, case
from .phantom import (
    AXIAL,
    CORONAL,
    CR,
    SAGITTAL,
    SECONDARY_CAPTURE,
    SHAPE,
    Person,
    Truth,
    ct_series,
    hounsfield,
    image,
    save,
    set_pixels,
)

GROUP = "modality kind"
NOT_AN_IMAGE = frozenset({"E_NOT_IMAGE"})
PICTURE = np.random.default_rng(6).integers(0, 256, SHAPE[1:]).astype(np.uint8)


def _without_pixels(folder: Path, header: Dataset) -> list[Expected]:
    """Write an object that has no pixels and is therefore no picture."""
    for keyword in ("PixelData", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        delattr(header, keyword)
    for keyword in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(header, keyword)
    return [Expected(tuple(save(folder, [header], "object")), codes=NOT_AN_IMAGE)]


def secondary_capture(folder: Path, person: Person) -> list[Expected]:
    """A grey screenshot of the workstation: a picture that lies nowhere in the patient."""
    header = image(person, PICTURE, SOPClassUID=SECONDARY_CAPTURE, Modality="CT", ConversionType="WSD")
    header.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    truth = Truth(PICTURE[np.newaxis], None, unit="")
    codes = NOT_AN_IMAGE | {"E_NOGEOM", "E_NORESCALE_CT"}
    return [Expected(tuple(save(folder, [header], "screen")), truth, codes=codes)]


def localizer_series(folder: Path, person: Person) -> list[Expected]:
    """Two overviews, from the front and from the side, in a series of their own: two pictures, and no volume."""
    front, side = (
        ct_series(person, hounsfield(61, (1, *SHAPE[1:])), CORONAL),
        ct_series(person, hounsfield(62, (1, *SHAPE[1:])), SAGITTAL),
    )
    for number, header in enumerate((*front, *side), start=1):
        header.ImageType, header.InstanceNumber = ["ORIGINAL", "PRIMARY", "LOCALIZER"], number
        header.SOPInstanceUID = f"{header.SeriesInstanceUID}.{number}"
    names = save(folder, [*front, *side], "overview")
    codes, aside = frozenset({"E_LOCALIZER", "E_NOT_IMAGE"}), frozenset({"N_LOCALIZER_DROPPED"})
    return [
        Expected((names[0],), Truth(hounsfield(61, (1, *SHAPE[1:])), CORONAL.affine), codes=codes, set_aside=aside),
        Expected((names[1],), Truth(hounsfield(62, (1, *SHAPE[1:])), SAGITTAL.affine), codes=codes, set_aside=aside),
    ]


def structure_set(folder: Path, person: Person) -> list[Expected]:
    """Contours for radiotherapy."""
    uid = "1.2.840.10008.5.1.4.1.1.481.3"
    return _without_pixels(folder, image(person, PICTURE, SOPClassUID=uid, Modality="RTSTRUCT"))


def dose(folder: Path, person: Person) -> list[Expected]:
    """A dose distribution has pixels and a geometry, but shows no patient."""
    uid = "1.2.840.10008.5.1.4.1.1.481.2"
    header = image(person, PICTURE.astype(np.uint16), SOPClassUID=uid, Modality="RTDOSE", NumberOfFrames=3)
    header.PixelData = PICTURE.astype("<u2").tobytes() * 3
    header.ImagePositionPatient, header.ImageOrientationPatient = list(AXIAL.corner), [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.GridFrameOffsetVector, header.DoseGridScaling = [2, 2], [0, 2, 4], "0.001"
    return [Expected(tuple(save(folder, [header], "dose")), codes=NOT_AN_IMAGE)]


def segmentation(folder: Path, person: Person) -> list[Expected]:
    """A segmentation of one bit a pixel has a geometry, but is a drawing."""
    uid = "1.2.840.10008.5.1.4.1.1.66.4"
    header = image(person, PICTURE, SOPClassUID=uid, Modality="SEG", SegmentationType="BINARY", NumberOfFrames=2)
    header.BitsAllocated, header.BitsStored, header.HighBit = 1, 1, 0
    header.PixelData = np.packbits(np.tile(PICTURE.ravel() > 128, 2), bitorder="little").tobytes()
    header.ImagePositionPatient, header.ImageOrientationPatient = list(AXIAL.corner), [1, 0, 0, 0, 1, 0]
    header.PixelSpacing = list(AXIAL.spacing_mm)
    return [Expected(tuple(save(folder, [header], "seg")), codes=NOT_AN_IMAGE)]


def structured_report(folder: Path, person: Person) -> list[Expected]:
    """A structured report of the radiation dose."""
    uid = "1.2.840.10008.5.1.4.1.1.88.67"
    return _without_pixels(folder, image(person, PICTURE, SOPClassUID=uid, Modality="SR"))


def encapsulated_pdf(folder: Path, person: Person) -> list[Expected]:
    """A PDF in a DICOM envelope."""
    header = image(person, PICTURE, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", Modality="DOC")
    header.EncapsulatedDocument, header.MIMETypeOfEncapsulatedDocument = b"%PDF-1.4\n%%EOF\n\0", "application/pdf"
    return _without_pixels(folder, header)


def presentation_state(folder: Path, person: Person) -> list[Expected]:
    """A presentation state says how to show other images."""
    uid = "1.2.840.10008.5.1.4.1.1.11.1"
    return _without_pixels(folder, image(person, PICTURE, SOPClassUID=uid, Modality="PR"))


def ultrasound_cine(folder: Path, person: Person) -> list[Expected]:
    """Frames of an ultrasound follow each other in time, and are no slices."""
    frames = np.random.default_rng(63).integers(0, 256, (5, *SHAPE[1:])).astype(np.uint8)
    header = image(person, frames[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", Modality="US", NumberOfFrames=5)
    header.PixelData, header.FrameTime = frames.tobytes(), "33.3"
    codes = frozenset({"E_MULTIFRAME", "E_NOGEOM"})
    return [Expected(tuple(save(folder, [header], "cine")), Truth(frames, None, unit=""), codes=codes)]


def radiographs(folder: Path, person: Person) -> list[Expected]:
    """Two radiographs of one series, from the front and from the side: two pictures, and no volume."""
    stored = np.random.default_rng(64).integers(0, 4096, (2, *SHAPE[1:])).astype(np.uint16)
    expected = []
    for number, plane in enumerate(stored):
        header = image(person, plane, SOPClassUID=CR, Modality="CR", number=number + 1, ImagerPixelSpacing=[0.2, 0.2])
        set_pixels(header, plane, 12)
        header.ViewPosition = ("PA", "LL")[number]
        names = save(folder, [header], f"cr{number}")
        expected.append(Expected(tuple(names), Truth(plane[np.newaxis], None, unit="")))
    return expected


CASES = [
    case(GROUP, write)
    for write in (
        secondary_capture,
        localizer_series,
        structure_set,
        dose,
        segmentation,
        structured_report,
        encapsulated_pdf,
        presentation_state,
        ultrasound_cine,
        radiographs,
    )
]
