"""What a study tells about its ground truth (reference standard): who read, how far they agree, how often labels err."""

from dataclasses import dataclass

from lucency.domain.estimate import Estimate
from lucency.domain.readings import ReaderFacts


@dataclass(frozen=True)
class PairOfReaders:
    """How two readers named the same images."""

    first: str
    second: str
    counts: tuple[tuple[int, ...], ...]
    """Images, axes (level by the first, level by the second)."""


@dataclass(frozen=True)
class Consensus:
    """What became of the votes."""

    rule: str
    """As the plan calls it, for example "majority"."""
    n_unanimous: int
    """Images that several readers saw, and on which all of them agree."""
    n_disputed: int
    """Images on which any two readers disagree."""
    n_decided: int
    """Images that somebody decided after the readers."""
    n_open: int
    """Images without a label because the votes are even, or too few readers saw them."""
    n_single: int
    """Images that one reader saw alone."""


@dataclass(frozen=True)
class SeveralReaders:
    """Several readers of the same images."""

    setting: str
    """Where the plan names them: "labels" to learn from, "reference" to be judged by."""
    facts: ReaderFacts
    question: str
    levels: tuple[str, ...]
    agreement: tuple[Estimate, ...]
    """On the question that the study asks, the most telling first."""
    other_questions: tuple[Estimate, ...]
    """Agreement of all readers on each other question; `group` names the question."""
    pairs: tuple[PairOfReaders, ...]
    consensus: Consensus


@dataclass(frozen=True)
class LabelError:
    """How often one source of labels errs, held against a better one."""

    labels: str
    """The labels that are held against something, in words."""
    against: str
    """What they are held against, in words."""
    n: int
    """Images or reports that both speak of."""
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class CarryingWords:
    """Words of radiology reports that carried a label."""

    stated: str
    """What they said of the finding: positive, uncertain or negative."""
    words: str
    """As the reports write them, in small letters; ▢ where they might tell who the patient is."""
    cue: str
    """The words that denied or doubted it; empty for a plain statement."""
    n_reports: int
    n_patients: int


@dataclass(frozen=True)
class RuleOutcome:
    """The results of the study when another rule makes the labels that it is judged by."""

    rule: str
    """In words."""
    is_used: bool
    """True for the labels of the study itself."""
    n_images: int
    """Test images that have a label by this rule."""
    n_changed: int
    """Test images whose label is another than that of the study."""
    counts: tuple[tuple[str, int], ...]
    """Test images of each class."""
    estimates: tuple[Estimate, ...]
    """On the same predictions, by the same frozen threshold."""


@dataclass(frozen=True)
class GroundTruth:
    """All that is told of the ground truth before training."""

    readers: tuple[SeveralReaders, ...] = ()
    errors: tuple[LabelError, ...] = ()
    n_corrected: int = 0
    """Images whose label was corrected by hand."""
    n_soft: int = 0
    """Images that teach with the doubt of their readers or report."""
    words: tuple[CarryingWords, ...] = ()
    """What carried the labels from reports, the most frequent first; `tables/label_words.csv` has them image by image."""
