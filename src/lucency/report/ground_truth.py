"""The ground truth in words: who read, how far they agree, how one label was made of several, how often labels err."""

from collections.abc import Iterator
from itertools import groupby

from lucency.domain.cohort import KEPT
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import CarryingWords, GroundTruth, LabelError, RuleOutcome, SeveralReaders
from lucency.domain.parts import Part
from lucency.domain.readings import OneReader
from lucency.report import words
from lucency.report.material import Material

RULES = {
    "majority": "the majority vote",
    "any": "any positive vote",
    "all": "a positive vote of all",
    "weighted": "the weighted vote",
    "dawid_skene": "the estimate of Dawid and Skene",
    "one_reader": "the word of one reader",
    "mean": "the mean",
    "median": "the median",
}
"""How the consensus rules of the plan are called in a sentence."""
SOURCES = {
    "folder": "the names of folders",
    "table": "a table",
    "archive": "the archive of the images",
    "readers": "several readers",
    "reports": "radiology reports",
    "masks": "masks that people drew",
    "boxes": "boxes that people drew",
}
"""How the sources of labels are called in a sentence."""
TOLD_OF_A_PAIR = 5
"""Lines of the table of agreement for one pair; the others stand in `ground_truth.json`."""
TOLD_WORDINGS = 6
"""Words of reports that the page lists for each answer."""


def source_sentence(material: Material) -> str:
    """Say where the labels come from, and which of them judge."""
    data = material.plan.data
    if data.reference:
        return (
            f"The training part was learnt from {SOURCES[data.labels.from_]}; the tuning and test parts are judged by "
            f"{SOURCES[data.reference.from_]}."
        )
    sources = list(dict.fromkeys(row.source for row in material.labels if row.status == KEPT))
    named = [SOURCES.get(source, source) for source in sources]
    return f"The labels come from {' and '.join(named)}."


def words_by_answer(truth: GroundTruth) -> Iterator[tuple[str, tuple[CarryingWords, ...], int]]:
    """Yield each answer with the most frequent words that stated it, and how many wordings are left out."""
    for stated in dict.fromkeys(one.stated for one in truth.words):
        carried = tuple(one for one in truth.words if one.stated == stated)
        yield stated, carried[:TOLD_WORDINGS], len(carried[TOLD_WORDINGS:])


def reader_sentences(one: SeveralReaders) -> Iterator[str]:
    """Say who read how many images, when, and whether blinded."""
    purpose = "to learn from" if one.setting == "labels" else "to be judged by"
    yield f"{len(one.facts.readers)} readers made the labels {purpose}."
    yield from map(_reader_sentence, one.facts.readers)
    if one.facts.unread:
        yield f"{_images(len(one.facts.unread), 'was', 'were')} read by nobody."
    n_unknown = sum(map(len, one.facts.unknown_rows.values()))
    if n_unknown:
        rows = "row of their tables names" if n_unknown == 1 else "rows of their tables name"
        yield f"{words.count(n_unknown)} {rows} no image of the cohort."


def _reader_sentence(reader: OneReader) -> str:
    days = f" between {reader.first_day} and {reader.last_day}" if reader.first_day else ""
    blinded = (
        f", blinded to all other information in {words.count(reader.n_blinded)} of {words.count(reader.n_blinding_known)}"
        if reader.n_blinding_known
        else ""
    )
    again = (
        f"; {_images(reader.n_changed, 'was', 'were')} read again with another answer, and the later one counts"
        if reader.n_changed
        else ""
    )
    lost = (
        f"; {_images(reader.n_contradicted, 'has', 'have')} two answers without a day to tell the later, and none of them counts"
        if reader.n_contradicted
        else ""
    )
    return f"Reader {reader.reader} read {words.of_images(reader.n_images)}{days}{blinded}{again}{lost}."


def _images(n: int, one: str, several: str) -> str:
    """Write a number of images with the words that follow it."""
    return f"{words.of_images(n)} {one if n == 1 else several}"


def consensus_sentences(one: SeveralReaders) -> Iterator[str]:
    """Say how one label was made of several, and how often that was needed."""
    consensus = one.consensus
    yield f"One label was made of several by {RULES[consensus.rule]}."
    n_several = consensus.n_unanimous + consensus.n_disputed
    if n_several:
        share = words.proportion(consensus.n_disputed / n_several)
        yield (
            f"Of {words.of_images(n_several)} that several readers saw, they agree on {words.count(consensus.n_unanimous)} and "
            f"disagree on {words.count(consensus.n_disputed)} ({share})."
        )
    if consensus.n_single:
        yield f"{_images(consensus.n_single, 'was', 'were')} seen by one reader alone."
    if consensus.n_decided:
        yield f"{_images(consensus.n_decided, 'was', 'were')} decided by hand afterwards (adjudication)."
    if consensus.n_open:
        yield (
            f"{words.of_images(consensus.n_open)} stayed without a label; the sheet `adjudication.csv` in the study's "
            "folder lists those on which they disagree."
        )


def agreement_groups(one: SeveralReaders) -> list[tuple[str, list[Estimate]]]:
    """Group the estimates of agreement by the readers that they speak of; of a pair, the most telling ones."""
    groups = [(group, list(found)) for group, found in groupby(one.agreement, key=lambda estimate: estimate.group)]
    return [(group, found[:TOLD_OF_A_PAIR]) for group, found in groups]


def error_title(error: LabelError) -> str:
    """Name what is held against what."""
    unit = error.estimates[0].unit if error.estimates else "image"
    return f"{error.labels}, held against {error.against} ({words.of_units(error.n, unit)})"


def correction_sentences(truth: GroundTruth) -> Iterator[str]:
    """Say what was corrected by hand, and what teaches with its doubt."""
    if truth.n_corrected:
        yield f"{_images(truth.n_corrected, 'had its label', 'had their label')} corrected by hand."
    if truth.n_soft:
        yield (
            f"{_images(truth.n_soft, 'teaches', 'teach')} with a probability instead of one class, because the readers "
            "or the report were not sure."
        )


def corrected_test_sentence(material: Material) -> str:
    """Say how many corrections judge: a network may have proposed them, and then favours networks."""
    corrected = {row.image_id for row in material.labels if "N_CORRECTED" in row.notes.split()}
    n_test = sum(row.part == Part.TEST and row.image_id in corrected for row in material.split)
    return (
        f"{words.count(n_test)} corrected {'label judges' if n_test == 1 else 'labels judge'} in the test part."
        if n_test
        else ""
    )


def spread_sentence(outcomes: tuple[RuleOutcome, ...]) -> str:
    """Say how far the first measure moves between the rules."""
    values = [outcome.estimates[0].value for outcome in outcomes if outcome.estimates]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    name = next(outcome.estimates[0].name for outcome in outcomes if outcome.estimates)
    return (
        f"Depending on the rule, the {name} lies between {words.number(min(known), 3)} and {words.number(max(known), 3)}: "
        "what cannot be agreed on among readers cannot be measured more finely in a network."
    )
