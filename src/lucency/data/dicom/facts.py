"""Take from the header who was imaged, where, and how large a pixel is."""

import math
from collections.abc import Callable

from pydicom.dataset import FileDataset

from lucency.data.dicom.header import numbers_of
from lucency.data.facts import ImageFacts, one_spelling

Text = Callable[[str], str]
"""Gives the first value of an element as text, by its keyword; empty where it is absent."""


def facts_of(text: Text) -> ImageFacts:
    """Return what a study needs to know about an image beside its pixels."""
    return ImageFacts(
        modality=text("Modality").upper(),
        patient=patient_of(text),
        exam=text("StudyInstanceUID"),
        series=text("SeriesInstanceUID"),
        instance=text("SOPInstanceUID"),
        site=text("InstitutionName") or text("StationName"),
        laterality=(text("ImageLaterality") or text("Laterality")).upper(),
        view=text("ViewPosition").upper(),
        sex=text("PatientSex").upper(),
        age_years=_age_years(text),
        manufacturer=text("Manufacturer"),
        model=text("ManufacturerModelName"),
        year=_year(text("StudyDate")),
        kvp=_number(text("KVP")),
        slice_thickness_mm=_number(text("SliceThickness")),
        kernel=text("ConvolutionKernel") or text("FilterType"),
        field_strength_tesla=_number(text("MagneticFieldStrength")),
    )


def patient_of(text: Text) -> str:
    """Return the patient's identifier so that two ways of writing it agree."""
    return one_spelling(text("PatientID"), text("IssuerOfPatientID"))


def _year(date: str) -> str:
    """Return the year of a DICOM date, and nothing else of it."""
    return date[:4] if len(date) == 8 and date.isdigit() and 1895 <= int(date[:4]) < 2100 else ""


def _number(text: str) -> str:
    """Write a positive number in its shortest form; empty where it is none."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return ""
    return f"{number:g}" if math.isfinite(number) and number > 0 else ""


def _age_years(text: Text) -> int | None:
    """Return completed years from the age, else from the dates of birth and exam; 90 for all who are older than 89."""
    age = text("PatientAge").upper()
    years: int | None = None
    if age[:-1].isdigit() and age[-1:] in "DWMY":
        years = int(age[:-1]) // {"D": 365, "W": 52, "M": 12, "Y": 1}[age[-1]]
    else:
        birth, exam = text("PatientBirthDate"), text("StudyDate")
        if len(birth) == len(exam) == 8 and birth.isdigit() and exam.isdigit():
            years = (int(exam) - int(birth)) // 10_000
    if years is None or not 0 <= years < 150:
        return None
    return min(years, 90)


def spacing_mm_of(header: FileDataset, notes: list[str]) -> tuple[float, float] | None:
    """Return the distance between rows and columns: in the patient, else at the detector, else of an ultrasound region."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        numbers = numbers_of(header, keyword, notes)
        if len(numbers) == 2 and min(numbers) > 0:
            if keyword == "ImagerPixelSpacing":
                notes.append("N_DETECTOR_SPACING")
            return numbers[0], numbers[1]
    regions = header.get("SequenceOfUltrasoundRegions") or []
    centimetres = 3  # PhysicalUnits code, PS3.3 C.8.5.5.1.15
    if len(regions) != 1 or {regions[0].get(f"PhysicalUnits{axis}Direction") for axis in "XY"} != {centimetres}:
        return None
    row_mm, column_mm = (10 * abs(float(regions[0].get(f"PhysicalDelta{axis}") or 0)) for axis in "YX")
    return (row_mm, column_mm) if min(row_mm, column_mm) > 0 and math.isfinite(row_mm + column_mm) else None
