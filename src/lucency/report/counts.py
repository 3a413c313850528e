"""Who came into the study, who was refused and why, and where everybody ended."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lucency.domain.cohort import KEPT, CohortRow, SplitRow
from lucency.domain.parts import Part
from lucency.report.material import Material

DUPLICATE, OTHER_LABEL = "E_DUPLICATE", "E_OTHER_LABEL"
CRITERION = {"E_NOT_INCLUDED": "does not meet", "E_EXCLUDED": "excluded"}
"""What a criterion of the plan does to an image, for the flow diagram."""


@dataclass(frozen=True)
class Refusals:
    """Images that left the study at one step."""

    title: str
    by_reason: dict[str, int]
    """Code, or criterion in words → number of images, most frequent first."""

    @property
    def n_images(self) -> int:
        """Images that left here, for whatever reason."""
        return sum(self.by_reason.values())


@dataclass(frozen=True)
class Step:
    """The images that reached one step, and those that left after it."""

    title: str
    n_images: int
    n_patients: int
    refused: Refusals | None
    """None where nothing leaves."""


@dataclass(frozen=True)
class PartCount:
    """The size of one part of the split."""

    title: str
    n_images: int
    n_patients: int
    counts: dict[str, int]
    """What the task counts beside images and patients, such as the images of each class."""


@dataclass(frozen=True)
class Flow:
    """The way of the images from the folder to the three parts."""

    steps: tuple[Step, ...]
    parts: tuple[PartCount, ...]
    reasons: dict[str, str]
    unit: str = "image"


def count_flow(material: Material) -> Flow:
    """Follow every image from the folder to its part."""
    unlabelled = {row.image_id: row.reason or row.reference_reason for row in material.labels if row.status != KEPT}
    reason = {row.image_id: _reason(row) or unlabelled.get(row.image_id, "") for row in material.cohort}
    found = list(material.cohort)
    readable = [row for row in found if row.status == KEPT or row.criterion or row.reason == DUPLICATE]
    eligible = [row for row in readable if not row.criterion]
    unique = [row for row in eligible if reason[row.image_id] != DUPLICATE]
    labelled = [row for row in unique if not reason[row.image_id]]
    in_split = {row.image_id for row in material.split}
    placed = [row for row in labelled if row.image_id in in_split]
    reason |= {row.image_id: OTHER_LABEL for row in labelled if row.image_id not in in_split}
    titles = ("Found", "Readable", "Eligible", "Curated", "With ground truth", "In the study, with ground truth")
    leaving = (
        "Refused",
        "Not eligible",
        "Exact duplicates",
        "No usable label",
        "No label of the kind that its part needs",
    )
    stages = (found, readable, eligible, unique, labelled, placed)
    steps = [Step(titles[0], len(found), _n_patients(found), None)]
    for title, name, before, after in zip(titles[1:], leaving, stages[:-1], stages[1:], strict=True):
        if len(after) < len(before):
            stay = {row.image_id for row in after}
            refused = _refusals(name, (reason[row.image_id] for row in before if row.image_id not in stay))
            steps[-1] = replace(steps[-1], refused=refused)
            steps.append(Step(title, len(after), _n_patients(after), None))
    steps[-1] = replace(steps[-1], title=titles[-1]) if len(steps) > 1 else steps[-1]
    return Flow(tuple(steps), count_parts(material), dict(material.reasons), material.plan.unit)


def _reason(row: CohortRow) -> str:
    """Name why an image left at the curation: the criterion of the plan that decided, else the code."""
    return f"{CRITERION[row.reason]}: {row.criterion}" if row.criterion else row.reason


def count_parts(material: Material) -> tuple[PartCount, ...]:
    """Count images, patients and what the task counts, in the training, tuning and test parts."""
    counted = []
    for part in Part:
        rows = rows_of(material.split, part)
        n_patients = len({row.patient_id for row in rows})
        counted.append(PartCount(part.capitalize(), len(rows), n_patients, material.answers.counts(material, part)))
    return tuple(counted)


def rows_of(split: Iterable[SplitRow], part: str) -> list[SplitRow]:
    """Return the rows of one part."""
    return [row for row in split if row.part == part]


def n_refused(material: Material) -> int:
    """Count the images that were found and not used."""
    return len(material.cohort) - len(material.split)


def reasons_of_refusal(material: Material) -> Counter[str]:
    """Count the images that were found and not used, by the code of the reason."""
    codes = Counter(row.reason for row in material.cohort if row.status != KEPT)
    codes += Counter(row.reason or row.reference_reason for row in material.labels if row.status != KEPT)
    n_unplaced = sum(row.status == KEPT for row in material.labels) - len(material.split)
    return codes + Counter({OTHER_LABEL: n_unplaced})


def notes_of_kept(material: Material) -> list[tuple[str, int]]:
    """Count the notes on images that were kept, most frequent first."""
    counted = Counter(code for row in material.cohort if row.status == KEPT for code in row.notes.split())
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def share_of_largest_class(counts: Mapping[str, int]) -> float:
    """Return the share of the most frequent class."""
    return max(counts.values(), default=0) / max(sum(counts.values()), 1)


def _n_patients(rows: Iterable[CohortRow]) -> int:
    return len({row.patient_id for row in rows if row.patient_id})


def _refusals(title: str, codes: Iterable[str]) -> Refusals:
    counted = Counter(codes)
    return Refusals(title, dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))))
