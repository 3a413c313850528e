"""Everything that the report shows, gathered from a finished study."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.description import Description
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import GroundTruth, RuleOutcome
from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.evaluation.operating_point import OperatingPoint


@dataclass(frozen=True)
class Certificate:
    """What was checked when the split was made."""

    method: str
    seed: int
    sha256: str
    """Hash of split.csv."""
    n_components: int = 0
    """Groups of images that had to stay together; 0 where they were not counted."""
    n_patients_shared: int = 0
    """Patients that stand in more than one part."""
    n_exams_shared: int = 0
    """Exams that stand in more than one part."""
    n_images_shared: int = 0
    """Images, by the hash of their pixels, that stand in more than one part."""
    n_lookalikes_shared: int = 0
    """Groups of near-duplicates that stand in more than one part."""


@dataclass(frozen=True)
class Epoch:
    """One pass through the training part, and what the tuning part said after it."""

    epoch: int
    """Counted from 1."""
    learning_rate: float
    training_cost: float
    tuning_cost: float
    tuning_measure: float | None
    seconds: float


@dataclass(frozen=True)
class Member:
    """The training of one network of the ensemble."""

    name: str
    epochs: tuple[Epoch, ...]
    best_epoch: int
    """The epoch whose parameters are used, counted from 1."""
    stopped_because: str


@dataclass(frozen=True)
class Layer:
    """One row of the layer table; what a kind of layer does not have is None."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    """Axes (channel, row, column), or (feature,)."""
    n_kernels: int | None = None
    """Kernels of a convolution, or units of a fully connected layer."""
    kernel_size: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | None = None
    n_weights: int = 0
    n_biases: int = 0
    n_parameters: int = 0
    receptive_field_pixels: tuple[int, int] | None = None
    """Rows and columns of the image that one value depends on."""


@dataclass(frozen=True)
class Picture:
    """An image for the page: PNG bytes and what they show."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class ErrorCase:
    """A test image that the network got wrong with confidence."""

    image_id: str
    target: str
    """The class that the ground truth names."""
    predicted: str
    """The class that the network named."""
    probability: float
    """What the network gave to the class that it named."""
    png: bytes


@dataclass(frozen=True)
class SaliencyCase:
    """A map of what the network looked at, and how much of the map survives random parameters."""

    png: bytes
    caption: str
    similarity_after_randomisation: float | None = None
    """Rank correlation with the map of the randomised network; near 0 the map depends on what was learnt."""


@dataclass(frozen=True)
class Explanation:
    """The saliency maps of a study and the verdict of the sanity check (Adebayo 2018)."""

    method: str
    cases: tuple[SaliencyCase, ...]
    verdict: str
    """What the sanity check says, in plain words."""
    similarity: Estimate | None = None
    """Median over the cases of the likeness to maps of networks with random parameters."""


@dataclass(frozen=True)
class ShownWord:
    """One word of a report on the page."""

    text: str
    """The word, or ▢ where it might tell who the patient is."""
    shade: int
    """From −3 (spoke against the answer) to 3 (carried it)."""
    attention: int
    """From 0 to 3."""


@dataclass(frozen=True)
class ReadReport:
    """A test report with what the network said of it, and the words that carried the answer."""

    image_id: str
    finding: str
    """Empty where the study asks one thing only."""
    target: str
    predicted: str
    probability: float
    words: tuple[ShownWord, ...]


@dataclass(frozen=True)
class KnownWords:
    """The vocabulary of the networks."""

    n_words: int
    n_shown: int
    """Words that the page may show."""
    least_count: int
    unknown: Mapping[str, tuple[int, int]]
    """Part → unknown words, and all words."""


@dataclass(frozen=True)
class Reading:
    """How networks read reports: their vocabulary, the words that carried answers, and whether to believe those."""

    vocabulary: KnownWords
    errors: tuple[ReadReport, ...]
    cases: tuple[ReadReport, ...]
    method: str = ""
    verdict: str = ""
    similarity: Estimate | None = None
    """Median over the cases of the likeness to the shading by networks with random parameters."""
    attention: Estimate | None = None
    """Median over the cases of the likeness of attention and shading; None without attention."""


@dataclass(frozen=True)
class FindingResult:
    """One of several findings that were asked at once."""

    finding: str
    tuning: Predictions
    test: Predictions
    operating_point: OperatingPoint | None
    n_present: Mapping[str, int]
    """Part → images or reports in which it is there; those of which it is not known count nowhere."""
    n_absent: Mapping[str, int]


@dataclass(frozen=True)
class Opening:
    """One opening of the sealed test set."""

    time: str
    n: int
    """1 for the first opening."""


@dataclass(frozen=True)
class Stage:
    """One stage of the study, as the record holds it."""

    name: str
    time: str
    seconds: float


@dataclass(frozen=True)
class Deidentified:
    """How the images were de-identified before anybody looked at them."""

    edition: str
    """Edition of the standard, PS3.15."""
    methods: tuple[str, ...]
    """The profile and its options, in the words of the standard."""
    n_written: int
    n_refused: int
    n_quarantined: int


@dataclass(frozen=True)
class Material:
    """Everything that the page shows."""

    plan: Plan
    cohort: tuple[CohortRow, ...]
    labels: tuple[LabelRow, ...]
    split: tuple[SplitRow, ...]
    certificate: Certificate
    layers: tuple[Layer, ...]
    members: tuple[Member, ...]
    tuning: Predictions
    """The ensemble's predictions for the tuning part."""
    test: Predictions
    """The ensemble's predictions for the test part."""
    operating_point: OperatingPoint | None
    """None for more than two classes, where the likeliest class is the answer."""
    estimates: tuple[Estimate, ...]
    description: Description
    """What the cohort is made of, and whom it stands for."""
    record_head: str
    """Hash of the record's last entry, hexadecimal."""
    openings: tuple[Opening, ...]
    stages: tuple[Stage, ...]
    environment: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    """What each code of a refusal or a note means."""
    ground_truth: GroundTruth = field(default_factory=GroundTruth)
    """Who read, how far they agree, how often the labels err."""
    by_rule: tuple[RuleOutcome, ...] = ()
    """The results by the labels of other consensus rules; those of the study come first."""
    deidentified: Deidentified | None = None
    """None where the images were read as they are."""
    cohort_version: int = 1
    """How often the cohort has been made anew with another outcome, this time included."""
    set_aside: tuple[Picture, ...] = ()
    """What was refused for its look, or noted as doubtful."""
    drawings: tuple[Picture, ...] = ()
    """Images with the outlines of what people drew, where masks or boxes make the labels."""
    samples: tuple[Picture, ...] = ()
    augmentations: tuple[Picture, ...] = ()
    errors: tuple[ErrorCase, ...] = ()
    explanation: Explanation | None = None
    reading: Reading | None = None
    """None for images."""
    findings: tuple[FindingResult, ...] = ()
    """Where several findings were asked at once; `tuning`, `test` and `operating_point` are those of the first then."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; of two, the second is the positive one. The findings, where several were asked at once."""
        return tuple(one.finding for one in self.findings) or self.test.classes

    @property
    def positive(self) -> str | None:
        """The positive class where there are two."""
        return self.classes[1] if len(self.classes) == 2 and not self.findings else None

    @property
    def n_openings(self) -> int:
        """How often the sealed test set was opened."""
        return len(self.openings)
