"""Several findings at once: whether each of them is there, from columns of one table."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lucency.data.ground_truth.tables import image_matcher, read_table, require_table, with_hashed_uids
from lucency.data.ground_truth.verdicts import Verdict, Verdicts
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Labels
from lucency.domain.questions import ABSENT, PRESENT
from lucency.errors import SourceError

NONE_OF_THEM = "none of the findings"
"""The group of the images or reports in which no finding is there."""

_PRESENT = {"1", "1.0", "yes", "y", "true", "positive", "pos", "present", "ja", "oui", "si", "sí"}
_ABSENT = {"0", "0.0", "no", "n", "false", "negative", "neg", "absent", "nein", "non"}
_UNCERTAIN = {"-1", "-1.0", "uncertain", "possible", "maybe", "equivocal", "unklar", "?"}
_UNKNOWN = {"", "nan", "na", "n/a", "unknown", "not mentioned", "not_mentioned"}


@dataclass(frozen=True)
class FindingVerdicts:
    """What a table says about each of several findings."""

    findings: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    """Axes (image, finding): positive, negative, or empty where it is not known."""
    verdicts: Verdicts
    """The group of each image, by which the cohort is split and described: the rarest finding that is there."""


def findings_from_table(kept: Sequence[CohortRow], labels: Labels, naming: Naming) -> FindingVerdicts:
    """Look each image or report up in the table.

    One that stands there twice with different findings has no label, nor has one of which nothing is known.

    Raises:
        SourceError: the table cannot be used, lacks a column, or a cell says neither yes nor no.
    """
    table = read_table(require_table(labels.table), [labels.image_column, *labels.findings])
    meaning = _Meaning(labels)
    said = [
        tuple(meaning.of(row[name], name, number) for name in labels.findings) for number, row in enumerate(table, 2)
    ]
    match = image_matcher(with_hashed_uids(table, labels.image_column, naming), labels.image_column)
    rows = [match(naming.path(image.source), image.instance_sha256, image.n_files > 1) for image in kept]
    told = [{said[number] for number in numbers} for numbers in rows]
    nothing = ("",) * len(labels.findings)
    cells = tuple(next(iter(answers)) if len(answers) == 1 else nothing for answers in told)
    codes = [
        "E_DOUBLE_LABEL" if len(answers) > 1 else "" if any(c) else "E_NO_LABEL"
        for answers, c in zip(told, cells, strict=True)
    ]
    codes = _with_conflicts(kept, cells, codes)
    groups = _groups(labels.findings, cells)
    verdicts = [Verdict(code=code) if code else Verdict(group) for code, group in zip(codes, groups, strict=True)]
    matched = {number for numbers in rows for number in numbers}
    unknown = tuple(number + 2 for number in range(len(table)) if number not in matched)
    return FindingVerdicts(labels.findings, cells, Verdicts(verdicts, unknown))


class _Meaning:
    """What a cell of the table means, by the names and the policy of the plan."""

    def __init__(self, labels: Labels) -> None:
        self._names = labels.names or {}
        self._uncertain = {"refuse": "", "positive": PRESENT, "negative": ABSENT}[labels.uncertain]

    def of(self, cell: str, finding: str, row: int) -> str:
        """Return positive, negative, or nothing where it is not known."""
        word = self._names.get(cell, cell).strip().lower()
        if word in _PRESENT:
            return PRESENT
        if word in _ABSENT:
            return ABSENT
        if word in _UNCERTAIN:
            return self._uncertain
        if word in _UNKNOWN:
            return ""
        raise SourceError(
            f"Row {row} of the table of labels says neither yes nor no about “{finding}”. Use 1, 0, −1 (uncertain) or an empty "
            "cell, or translate the words with `data.labels.names`."
        )


def _with_conflicts(kept: Sequence[CohortRow], cells: Sequence[tuple[str, ...]], codes: list[str]) -> list[str]:
    """Set copies of one image or report aside where they say different things."""
    said: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for image, answers, code in zip(kept, cells, codes, strict=True):
        if not code:
            said[image.pixel_sha256].add(answers)
    return [
        "E_CONFLICT" if not code and len(said[image.pixel_sha256]) > 1 else code
        for image, code in zip(kept, codes, strict=True)
    ]


def _groups(findings: Sequence[str], cells: Sequence[tuple[str, ...]]) -> list[str]:
    """Name the rarest finding of each image; every part of a split then gets its share even of rare findings."""
    frequency = Counter(
        name for answers in cells for name, answer in zip(findings, answers, strict=True) if answer == PRESENT
    )
    there = ([name for name, answer in zip(findings, answers, strict=True) if answer == PRESENT] for answers in cells)
    return [min(names, key=lambda name: (frequency[name], name)) if names else NONE_OF_THEM for names in there]
