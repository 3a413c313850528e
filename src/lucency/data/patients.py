"""Who the patient of an image is, by the rule of the plan."""

import re
from collections.abc import Callable

from lucency.data.ground_truth.tables import image_matcher, read_table, require_table
from lucency.data.reading import ImageFile, RefusedImage
from lucency.data.sources import Candidate, Source
from lucency.domain.plan import Data
from lucency.errors import PlanError, SourceError

PatientRule = Callable[[Candidate, ImageFile], str]

N_TRIED = 20
"""Readable images that may be without a patient before the rule is called wrong."""


def patient_rule(data: Data) -> PatientRule:
    """Return the function that tells the patient of an image, by the plan; "" when it cannot.

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
        match = image_matcher(table, data.labels.image_column)
        column = patient.column
        return lambda candidate, image: "".join(
            {table[n][column].strip() for n in match(candidate.source, _uid(image), len(candidate.files) > 1)[:1]}
        )
    try:
        pattern = re.compile(patient.pattern or "")
    except re.error as error:
        raise PlanError(
            f"`data.patient.pattern` is not a regular expression: {error}. Try it on one file name."
        ) from None
    return lambda candidate, _: _caught(pattern, candidate.source)


def _uid(image: ImageFile) -> str:
    return image.facts.series if image.is_volume else image.facts.instance


def _caught(pattern: re.Pattern[str], source: str) -> str:
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
