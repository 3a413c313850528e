"""Read the suite, and judge a labeller by it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

LABELS = {"+": "positive", "-": "negative", "?": "uncertain", "0": "absent"}
IMPLIES = {
    "Consolidation": {"Lung Opacity"},
    "Pneumonia": {"Lung Opacity"},
    "Atelectasis": {"Lung Opacity"},
    "Edema": {"Lung Opacity"},
    "Lung Lesion": {"Lung Opacity"},
    "Cardiomegaly": {"Enlarged Cardiomediastinum"},
    "Enlarged Cardiomediastinum": {"Cardiomegaly"},
}
"""What a finding may bring along without being asked, as the tree of findings of Irvin (2019) has it."""

Labeller = Callable[[str], dict[str, str]]
"""From a text to a label for each finding that it mentions."""


@dataclass(frozen=True)
class Passage:
    """A text, the phenomenon it tests, and what a fair reader takes from it."""

    text: str
    phenomenon: str
    difficulty: str
    gold: dict[str, frozenset[str]]
    """The labels that are right for each finding; all four where the finding is not judged."""

    def faults(self, labels: dict[str, str]) -> list[str]:
        """Say what is wrong: a label that is not right, or a finding called present or possible out of thin air."""
        wrong = [
            f"{finding} is {labels.get(finding, 'absent')}, not {' or '.join(sorted(right))}"
            for finding, right in self.gold.items()
            if labels.get(finding, "absent") not in right
        ]
        implied = set().union(*(IMPLIES.get(finding, set()) for finding in self.gold)) | {"No Finding"}
        return wrong + [
            f"{finding} is {label} out of thin air"
            for finding, label in labels.items()
            if finding not in self.gold and finding not in implied and label != "negative"
        ]


@dataclass
class Counts:
    """How often a label was right, said wrongly, and missed."""

    n_right: int = 0
    n_said_wrongly: int = 0
    n_missed: int = 0

    @property
    def precision(self) -> float:
        """Share of what was said that is right."""
        return self.n_right / max(self.n_right + self.n_said_wrongly, 1)

    @property
    def recall(self) -> float:
        """Share of what should be said that was said."""
        return self.n_right / max(self.n_right + self.n_missed, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.n_right / max(2 * self.n_right + self.n_said_wrongly + self.n_missed, 1)


@dataclass
class Verdict:
    """What came of the suite."""

    wrong: list[tuple[Passage, list[str]]] = field(default_factory=list)
    kept: dict[str, list[bool]] = field(default_factory=dict)
    """For each phenomenon, whether each passage was right in all that it settles."""
    counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    """For each finding and label."""

    @property
    def n_kept(self) -> int:
        """Passages without a fault."""
        return sum(map(sum, self.kept.values()))

    @property
    def n_all(self) -> int:
        """All passages."""
        return sum(map(len, self.kept.values()))

    def f1(self, label: str) -> float:
        """Return F1 of one label over all findings together."""
        of_label = [counts for (_, said), counts in self.counts.items() if said == label]
        return Counts(
            sum(counts.n_right for counts in of_label),
            sum(counts.n_said_wrongly for counts in of_label),
            sum(counts.n_missed for counts in of_label),
        ).f1

    def by_phenomenon(self) -> str:
        """Return a table to read: passages right by phenomenon."""
        return "\n".join(f"{sum(kept):4} of {len(kept):3}  {phenomenon}" for phenomenon, kept in self.kept.items())

    def by_finding(self) -> str:
        """Return a table to read: precision, recall and F1 of each finding and label."""
        return "\n".join(
            f"{finding:28}{label:10} precision {counts.precision:.2f}  recall {counts.recall:.2f}  F1 {counts.f1:.2f}"
            f"  (of {counts.n_right + counts.n_missed})"
            for (finding, label), counts in sorted(self.counts.items())
        )

    def list_of_wrong(self) -> str:
        """Return what was wrong, one passage after the other."""
        return "\n".join(
            f"[{passage.phenomenon}] {passage.text!r}\n    {'; '.join(faults)}" for passage, faults in self.wrong
        )


def read_suite(path: Path) -> list[Passage]:
    """Read passages and whole reports."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    passages = [
        Passage(text, phenomenon, group["difficulty"], _read_gold(gold))
        for phenomenon, group in content["passages"].items()
        for text, gold in group["texts"]
    ]
    reports = [
        Passage(report["text"], f"whole report, {report['style']}", "hard", _read_gold(report["gold"]))
        for report in content["reports"]
    ]
    return passages + reports


def judge(passages: Iterable[Passage], label: Labeller) -> Verdict:
    """Label every passage and count."""
    verdict = Verdict()
    for passage in passages:
        labels = label(passage.text)
        faults = passage.faults(labels)
        verdict.kept.setdefault(passage.phenomenon, []).append(not faults)
        if faults:
            verdict.wrong.append((passage, faults))
        _count(verdict, passage, labels)
    return verdict


def _read_gold(gold: str) -> dict[str, frozenset[str]]:
    signs = dict(part.strip().rsplit(" ", 1) for part in gold.split(","))
    return {
        finding: frozenset(LABELS.values()) if right == "*" else frozenset(LABELS[sign] for sign in right)
        for finding, right in signs.items()
    }


def _count(verdict: Verdict, passage: Passage, labels: dict[str, str]) -> None:
    """Count each finding of a passage where one label alone is right, and each label out of thin air."""
    out_of_thin_air = {fault.split(" is ")[0]: frozenset({"absent"}) for fault in passage.faults(labels)}
    for finding, right in {**out_of_thin_air, **passage.gold}.items():
        said = labels.get(finding, "absent")
        if len(right) > 1:
            continue
        (gold,) = right
        for label in {gold, said} - {"absent"}:
            counts = verdict.counts.setdefault((finding, label), Counts())
            counts.n_right += label == gold == said
            counts.n_said_wrongly += label == said != gold
            counts.n_missed += label == gold != said
