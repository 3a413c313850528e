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


NO_FACTS = ImageFacts()
"""What an ordinary image says: nothing."""
