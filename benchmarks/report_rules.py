"""Radiology reports read by rules, speed and truth: `python -m benchmarks.report_rules`.

The reports are made up in the styles of five houses, with a vocabulary that the rules' lists were not written for; what each
states is known. The peers: a plain loop of regular expressions in the manner of NegEx (ours, thirty lines, named as such),
and negspacy 1.x on spaCy's blank English with the same names of findings, if installed.
"""

import importlib.util
import os
import re
from collections.abc import Callable, Mapping

from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.many import find_mentions_of_all
from lucency.data.ground_truth.reports.rules import labels_of
from lucency.data.phantoms.report_phrases import NOUNS
from lucency.data.phantoms.reports import compose_reports

N_REPORTS = 10_000
N_NEGSPACY = 500
"""Reports that the slow peer reads; its time is multiplied up."""
PLAIN_WORDS = {
    "Cardiomegaly": ("cardiomegaly", "enlarged heart", "cardiac enlargement"),
    "Lung Opacity": ("opacity", "opacities", "infiltrate", "airspace disease"),
    "Lung Lesion": ("nodule", "mass", "lesion"),
    "Edema": ("edema", "oedema", "chf", "heart failure"),
    "Consolidation": ("consolidation",),
    "Pneumonia": ("pneumonia", "infection"),
    "Atelectasis": ("atelectasis", "collapse"),
    "Pneumothorax": ("pneumothorax",),
    "Pleural Effusion": ("effusion", "effusions", "pleural fluid"),
    "Pleural Other": ("pleural thickening", "plaque", "plaques"),
    "Fracture": ("fracture", "fractures"),
    "Support Devices": ("tube", "catheter", "pacemaker", "line"),
}
DENIES = re.compile(r"\b(?:no|not|without|negative for|free of|absence of|denies)\b[^.]{0,60}$", re.IGNORECASE)
DOUBTS = re.compile(
    r"\b(?:may|possible|possibly|probable|cannot exclude|versus|suspicious|questionable)\b[^.]{0,60}$", re.IGNORECASE
)

Labels = Mapping[str, str]


def by_lucency(texts: list[str]) -> list[Labels]:
    """Read reports by lucency's rules, on all cores."""
    findings = load_findings()
    return [labels_of(mentions, findings) for mentions in find_mentions_of_all(texts)]


def by_plain_loop(texts: list[str]) -> list[Labels]:
    """Read reports by a loop of regular expressions in the manner of NegEx, on one core."""
    patterns = {name: re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE) for name, words in PLAIN_WORDS.items()}
    return [_plain_labels(text, patterns) for text in texts]


def _plain_labels(text: str, patterns: Mapping[str, re.Pattern[str]]) -> Labels:
    order = ("positive", "uncertain", "negative")
    labels: dict[str, str] = {}
    for name, pattern in patterns.items():
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - 80) : found.start()]
            stated = "negative" if DENIES.search(before) else "uncertain" if DOUBTS.search(before) else "positive"
            labels[name] = min(labels.get(name, stated), stated, key=order.index)
    return labels


def by_negspacy(texts: list[str]) -> list[Labels]:
    """Read reports by negspacy with its clinical triggers, on one core."""
    import spacy
    from negspacy.negation import Negex  # noqa: F401 - registers the pipe

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler = pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns([{"label": name, "pattern": word} for name, words in PLAIN_WORDS.items() for word in words])
    pipeline.add_pipe("negex")
    found = []
    for document in pipeline.pipe(texts):
        labels: dict[str, str] = {}
        for entity in document.ents:
            if not entity._.negex or entity.label_ not in labels:
                labels[entity.label_] = "negative" if entity._.negex else "positive"
        found.append(labels)
    return found


def main() -> None:
    """Print one table; processor time of all processes, so that other work on the machine does not count."""
    reports = list(compose_reports(N_REPORTS, seed=3, vocabulary="test"))
    texts = [report.text for report in reports]
    readers: dict[str, tuple[Callable[[list[str]], list[Labels]], int]] = {
        "**lucency** (rules)": (by_lucency, N_REPORTS),
        "plain loop in the manner of NegEx": (by_plain_loop, N_REPORTS),
    }
    if importlib.util.find_spec("negspacy"):
        readers["negspacy"] = (by_negspacy, N_NEGSPACY)
    print(
        "| | processor seconds for 10,000 reports | positive findings found | positive labels right |\n|:--|--:|--:|--:|"
    )
    for reader, (read, n_reports) in readers.items():
        started = _processor_seconds()
        answers = read(texts[:n_reports])
        seconds = (_processor_seconds() - started) * N_REPORTS / n_reports
        pairs = zip(reports, answers, strict=False)
        stated = [(report.statements.get(name), labels.get(name)) for report, labels in pairs for name in NOUNS]
        n_right = sum(truth == said == "positive" for truth, said in stated)
        n_true = sum(truth == "positive" for truth, _ in stated)
        n_said = sum(said == "positive" for _, said in stated)
        print(f"| {reader} | {seconds:.1f} | {n_right / n_true:.1%} | {n_right / n_said:.1%} |")


def _processor_seconds() -> float:
    """Return what this process and its children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    main()
