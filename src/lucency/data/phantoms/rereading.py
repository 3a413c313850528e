"""A sample of reports that an invented person read again, with two slips, to measure how often a labeller errs."""

from dataclasses import dataclass

from lucency import randomness
from lucency.data.phantoms.report_sentences import Statements

N_REPORTS = 80
FINDINGS = ("Pneumonia", "Pleural Effusion", "Cardiomegaly", "Pneumothorax")
"""What the person was asked about each report."""
NOT_MENTIONED = "not mentioned"


@dataclass(frozen=True)
class Rereading:
    """What one report says about one finding, as a person read it."""

    report: str
    finding: str
    reading: str
    """positive, uncertain, negative, or not mentioned."""


def reread_reports(statements: dict[str, Statements], seed: int) -> list[Rereading]:
    """Draw a sample of reports and read each for every finding; two answers on pneumonia are turned round by mistake."""
    draw = randomness.generator(seed, "phantom rereading")
    names = sorted(statements)
    chosen = sorted(draw.permutation(len(names))[:N_REPORTS])
    readings = [
        Rereading(names[i], finding, statements[names[i]].get(finding, NOT_MENTIONED))
        for i in chosen
        for finding in FINDINGS
    ]
    sure = [i for i, reading in enumerate(readings) if reading.finding == FINDINGS[0] and reading.reading in _OPPOSITE]
    for i in draw.permutation(sure)[:2]:
        readings[i] = Rereading(readings[i].report, readings[i].finding, _OPPOSITE[readings[i].reading])
    return readings


_OPPOSITE = {"positive": "negative", "negative": "positive"}
