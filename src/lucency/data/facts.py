"""What a file says about its image beside the pixels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageFacts:
    """Who was imaged, how and where; empty where the file says nothing, as ordinary images do."""

    modality: str = ""
    """DICOM Modality, for example "DX"."""
    patient: str = ""
    """Patient ID without case, outer spaces and leading zeros, with its issuer; never to be written out as such."""
    exam: str = ""
    """Study Instance UID."""
    series: str = ""
    """Series Instance UID."""
    instance: str = ""
    """SOP Instance UID; of a volume, that of its first slice."""
    site: str = ""
    """Institution name, else station name."""
    laterality: str = ""
    """"L" or "R"."""
    view: str = ""
    """View position, for example "PA" or "MLO"."""
    sex: str = ""
    """"F", "M" or "O"."""
    age_years: int | None = None
    """Completed years; 90 stands for every age above 89."""
    manufacturer: str = ""
    """Maker of the scanner."""
    model: str = ""
    """Maker's name for the kind of scanner."""
    year: str = ""
    """Year of the exam."""
    kvp: str = ""
    """Tube voltage in kilovolt."""
    slice_thickness_mm: str = ""
    kernel: str = ""
    """Reconstruction kernel of CT, else filter of the X-ray beam."""
    field_strength_tesla: str = ""


def one_spelling(patient: str, issuer: str = "") -> str:
    """Write a Patient ID so that two ways of writing it agree; another issuer is another patient."""
    patient, issuer = patient.strip().upper(), issuer.strip().upper()
    if not patient:
        return ""
    return (patient.lstrip("0") or "0") + (f"@{issuer}" if issuer else "")


NO_FACTS = ImageFacts()
"""What an ordinary image says: nothing."""
