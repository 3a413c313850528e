"""Labels that should be looked at again, and why."""

from dataclasses import dataclass
from enum import StrEnum

from lucency.domain.description import Source
from lucency.domain.estimate import Estimate


class Doubt(StrEnum):
    """Why a label should be looked at again."""

    NETWORK = "network"
    """A network that did not learn from the image takes it for another class."""
    EQUAL_IMAGES = "equal images"
    """The same picture is in the cohort under another label; both were set aside."""
    NEAR_DUPLICATES = "near-duplicates"
    """The same picture in another encoding, size or crop has another label."""


@dataclass(frozen=True)
class DoubtedLabel:
    """One image whose label should be looked at again."""

    image: str
    """How tables call the image: its path below the image folder."""
    image_id: str
    patient_id: str
    part: str
    """Training or tuning; empty for an image that was set aside."""
    doubt: Doubt
    group: str
    """Images that are one picture share a name; empty for a network's suspect."""
    label: str
    suggested: str = ""
    """The class that the network takes it for; empty where nobody suggests one."""
    probabilities: tuple[float, ...] = ()
    """Of each class, from a network that did not learn from the image; empty where no network was asked."""
    score: float | None = None
    """Small is suspect."""


@dataclass(frozen=True)
class LabelAudit:
    """What the search for wrong labels found."""

    classes: tuple[str, ...]
    n_images: int
    """Images that were judged: those of the training and tuning parts."""
    n_patients: int
    n_folds: int
    auc: Estimate
    """How well the networks told the labels apart on images that they had not learned from."""
    noise: tuple[Estimate, ...]
    """Estimated share of wrong labels: over all, by label, by true class."""
    doubted: tuple[DoubtedLabel, ...]
    """Suspects of the networks, most suspect first, then copies that contradict each other."""
    sources: tuple[Source, ...]
    """Sites and scanners with the share of each class."""
