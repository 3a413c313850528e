"""Everything that the report shows, gathered from a finished study."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.description import Description
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import GroundTruth
from lucency.domain.plan import Plan
from lucency.domain.speed import Speed
from lucency.report.answers.answers import Answers


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
    """What the member chooses its best epoch by; the larger the better."""
    seconds: float


@dataclass(frozen=True)
class Frozen:
    """Parameters that training left alone, and the hash that proves it."""

    n_parameters: int
    sha256_before: str
    sha256_after: str


@dataclass(frozen=True)
class LearningStage:
    """How one stage of a network learnt."""

    name: str
    n_parameters: int
    rate_factor: float
    """Its share of the learning rate."""
    from_epoch: int | None
    """The epoch in which it began to learn, counted from 1; None where it was frozen throughout."""


@dataclass(frozen=True)
class Beginning:
    """The weights that the networks began with, where others had trained them."""

    name: str
    source: str
    trained_on: str
    licence: str
    citation: str
    sha256: str


@dataclass(frozen=True)
class Member:
    """The training of one network of the ensemble."""

    name: str
    epochs: tuple[Epoch, ...]
    best_epoch: int
    """The epoch whose parameters are used, counted from 1."""
    stopped_because: str
    measure: str
    """What was measured on the tuning part after each epoch: "AUC", "Dice"."""
    frozen: Frozen | None = None
    """None where every parameter learnt."""
    stages: tuple[LearningStage, ...] = ()
    """From the image to the answer; empty where the whole network learnt as one."""


@dataclass(frozen=True)
class Layer:
    """One row of the layer table; what a kind of layer does not have is None."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    """Axes (channel, [slice,] row, column), or (feature,)."""
    n_kernels: int | None = None
    """Kernels of a convolution, or units of a fully connected layer."""
    kernel_size: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | None = None
    n_weights: int = 0
    n_biases: int = 0
    n_parameters: int = 0
    receptive_field_pixels: tuple[int, ...] | None = None
    """([Slices,] rows and columns) of the image that one value depends on."""


@dataclass(frozen=True)
class Picture:
    """An image for the page: PNG bytes and what they show."""

    png: bytes
    caption: str


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
    answers: Answers
    """What the networks said, and all that is special about the task."""
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
    beginning: Beginning | None = None
    """None where the networks began at random."""
    ground_truth: GroundTruth = field(default_factory=GroundTruth)
    """Who read, how far they agree, how often the labels err."""
    deidentified: Deidentified | None = None
    """None where the images were read as they are."""
    cohort_version: int = 1
    """How often the cohort has been made anew with another outcome, this time included."""
    set_aside: tuple[Picture, ...] = ()
    """What was refused for its look, or noted as doubtful."""
    drawings: tuple[Picture, ...] = ()
    """Images with the outlines of what people drew, where masks or boxes make the labels."""
    speed: Speed | None = None
    """How training steps were computed; None where no network of torch learnt."""
    samples: tuple[Picture, ...] = ()
    augmentations: tuple[Picture, ...] = ()

    @property
    def n_openings(self) -> int:
        """How often the sealed test set was opened."""
        return len(self.openings)
