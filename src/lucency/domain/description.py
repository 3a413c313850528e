"""What the cohort is made of, whom it stands for, and what could be learnt from it by mistake (`description.json`)."""

from dataclasses import dataclass

from lucency.domain.estimate import Estimate


@dataclass(frozen=True)
class Group:
    """One column of a table: some of the patients, with some of their images."""

    name: str
    n_patients: int
    n_images: int


@dataclass(frozen=True)
class Cell:
    """What one line of a table says of one group; a number has its median and quartiles."""

    n: int
    """Patients of the level, or patients whose number is known."""
    n_group: int
    """Patients of the group."""
    median: float | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None


@dataclass(frozen=True)
class Line:
    """One line of a table: a number, the heading of a category (no cells), or one of its levels."""

    variable: str
    level: str
    """Empty for a number and for a heading."""
    cells: tuple[Cell, ...]
    """One for each group."""
    difference: Estimate | None = None
    """Standardised difference of the whole variable between two groups, on its first line."""


@dataclass(frozen=True)
class TableOne:
    """The patients in groups, side by side."""

    groups: tuple[Group, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Missing:
    """How many patients lack one variable, by part and in all."""

    variable: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Source:
    """One site, scanner or year: how much it gave to the cohort, and how often it sent each class."""

    kind: str
    """site, scanner or year."""
    name: str
    n_patients: int
    n_images: int
    shares: tuple[Estimate, ...]
    """Share of each class among its training and tuning images."""


@dataclass(frozen=True)
class Association:
    """Whether the classes are unevenly spread over the sites, scanners or years (training and tuning parts)."""

    kind: str
    p_value: float
    n_patients: int
    method: str


@dataclass(frozen=True)
class Protocol:
    """How one scanner made its images."""

    site: str
    scanner: str
    modality: str
    n_patients: int
    n_images: int
    facts: dict[str, str]
    """Setting → what is usual, for example {"tube voltage, kVp": "110 (100–125)"}."""


@dataclass(frozen=True)
class LevelComparison:
    """One figure of the cohort beside that of the target population."""

    level: str
    cohort: float
    target: float


@dataclass(frozen=True)
class Comparison:
    """One variable of the cohort against the declared target population."""

    variable: str
    is_share: bool
    """True where the levels are shares, False where they are a mean and a standard deviation."""
    levels: tuple[LevelComparison, ...]
    difference: Estimate
    verdict: str
    """alike, different, unsure or unknown."""
    text: str
    """The verdict in plain words."""


@dataclass(frozen=True)
class Probe:
    """What a simple model can tell from what should tell nothing (training and tuning parts only)."""

    name: str
    question: str
    estimate: Estimate
    """AUC of predictions for patients that the model had not seen."""
    verdict: str
    """found, trace, harmless, none or unknown."""
    text: str
    """The verdict in plain words."""


@dataclass(frozen=True)
class ClinicalJoin:
    """How the clinical table and the cohort found each other (`clinical.json`)."""

    columns: tuple[str, ...]
    """Columns that were joined."""
    n_matched: int
    """Patients of the cohort with a row in the table."""
    patients_without_row: tuple[str, ...]
    rows_without_patient: tuple[int, ...]
    """Rows of the table, counted from 2 as a spreadsheet does."""
    left_out: dict[str, str]
    """Column → why it was not joined."""
    n_contradictions: dict[str, int]
    """Column → patients with several rows that contradict each other; their value counts as missing."""


@dataclass(frozen=True)
class Description:
    """The whole description of a cohort."""

    by_part: TableOne
    by_label: TableOne
    missing: tuple[Missing, ...]
    sources: tuple[Source, ...]
    associations: tuple[Association, ...]
    protocols: tuple[Protocol, ...]
    comparisons: tuple[Comparison, ...]
    """Empty where the plan declares no target population."""
    probes: tuple[Probe, ...]
    """Empty where the plan wants none."""
    clinical: ClinicalJoin | None = None
