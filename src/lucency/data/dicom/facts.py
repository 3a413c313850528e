"""Take from the header who was imaged, where, and how large a pixel is."""

import math

from pydicom.dataset import FileDataset

from lucency.data.dicom.header import numbers_of, text_of


def patient_of(header: FileDataset) -> str:
    """Return the patient's identifier so that two ways of writing it agree; another issuer is another patient."""
    identifier = text_of(header, "PatientID").strip().upper()
    if not identifier:
        return ""
    issuer = text_of(header, "IssuerOfPatientID").strip().upper()
    return (identifier.lstrip("0") or "0") + (f"@{issuer}" if issuer else "")


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


def age_years_of(header: FileDataset) -> int | None:
    """Return completed years from the age, else from the dates of birth and exam; 90 for all who are older than 89."""
    age = text_of(header, "PatientAge").upper()
    years: int | None = None
    if age[:-1].isdigit() and age[-1:] in "DWMY":
        years = int(age[:-1]) // {"D": 365, "W": 52, "M": 12, "Y": 1}[age[-1]]
    else:
        birth, exam = text_of(header, "PatientBirthDate"), text_of(header, "StudyDate")
        if len(birth) == len(exam) == 8 and birth.isdigit() and exam.isdigit():
            years = (int(exam) - int(birth)) // 10_000
    if years is None or not 0 <= years < 150:
        return None
    return min(years, 90)
