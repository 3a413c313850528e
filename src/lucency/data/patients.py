"""Who the patient of an image is, by the rule of the plan."""

import re
from collections.abc import Callable

from lucency.data.ground_truth.tables import Table, image_matcher, is_uid, read_table, require_table
from lucency.data.naming import SAME_NAMES, Naming
from lucency.data.reading import ImageFile, RefusedImage
from lucency.data.sources import Candidate, Source
from lucency.domain.data_plan import Data, Patient
from lucency.errors import PlanError, SourceError

PatientRule = Callable[[Candidate, ImageFile], str]

N_TRIED = 20
"""Readable images that may be without a patient before the rule is called wrong."""


def patient_rule(data: Data, naming: Naming = SAME_NAMES) -> PatientRule:
    """Return the function that tells the patient of an image, by the plan; "" when it cannot.

    `naming` is the way from the names in a table to those of the images.

    Raises:
        PlanError: the pattern is not a regular expression.
    """
    patient = data.patient
    if patient is None or patient.from_ == "dicom":
        return lambda _, image: image.facts.patient
    if patient.from_ == "each_image":
        return lambda candidate, _: candidate.source
    if patient.from_ == "table":
        table = read_table(require_table(data.labels.table), [data.labels.image_column, patient.column])
        return _rule_of_table(table, data.labels.image_column, patient.column, naming)
    pattern = patient_pattern(patient)
    return lambda candidate, _: caught(pattern, naming.path(candidate.source))


def patient_pattern(patient: Patient) -> re.Pattern[str]:
    """Return the pattern that finds the patient in a file name.

    Raises:
        PlanError: it is not a regular expression.
    """
    try:
        return re.compile(patient.pattern or "")
    except re.error as error:
        raise PlanError(
            f"`data.patient.pattern` is not a regular expression: {error}. Try it on one file name."
        ) from None


def _rule_of_table(table: Table, image_column: str, patient_column: str, naming: Naming) -> PatientRule:
    named = [
        row | {image_column: naming.new_uid(row[image_column])} if is_uid(row[image_column]) else row for row in table
    ]
    match = image_matcher(named, image_column)

    def rule(candidate: Candidate, image: ImageFile) -> str:
        numbers = match(naming.path(candidate.source), _uid(image), len(candidate.files) > 1)
        return table[numbers[0]][patient_column].strip() if numbers else ""

    return rule


def _uid(image: ImageFile) -> str:
    return image.facts.series if image.is_volume else image.facts.instance


def caught(pattern: re.Pattern[str], source: str) -> str:
    """Return the patient in a path: what the groups of the pattern caught, or else the whole match."""
    match = pattern.search(source.rsplit("/", 1)[-1]) or pattern.search(source)
    if match is None:
        return ""
    return "-".join(filter(None, match.groups())) or match.group()


def refuse_unknown_patients(source: Source, data: Data, rule: PatientRule) -> None:
    """Stop before the work when even the first readable images do not name their patient.

    Raises:
        SourceError: with what to add to the plan, or to correct in it.
    """
    n_seen = 0
    for candidate in source.candidates:
        try:
            image = candidate.read()[0]
        except RefusedImage:
            continue
        if rule(candidate, image):
            return
        n_seen += 1
        if n_seen == N_TRIED:
            break
    if not n_seen:
        return  # nothing readable: the curation will say so image by image
    if data.patient is None:
        raise SourceError(
            "The images do not name their patient, and a split by image would let one patient train and test. Add "
            "`data.patient` to the plan: a pattern on the file name, a column of the label table, or `each_image` if "
            "every image is from another patient."
        )
    raise SourceError(
        f"`data.patient` ({data.patient.from_}) finds no patient for the first {n_seen} images. Correct the rule in the plan."
    )
