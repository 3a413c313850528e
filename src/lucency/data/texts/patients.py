"""Who the patient of a radiology report is, by the rule of the plan."""

from collections.abc import Callable

from lucency.data.ground_truth.tables import image_matcher, read_table, require_table
from lucency.data.patients import caught, patient_pattern
from lucency.data.texts.finding import Found
from lucency.domain.data_plan import Data
from lucency.errors import SourceError


def report_patients(data: Data) -> Callable[[Found], str]:
    """Return the function that tells the patient of a report; "" when it cannot.

    Raises:
        SourceError: the plan does not say how, or a table lacks the column.
        PlanError: the pattern is not a regular expression.
    """
    patient = data.patient
    if patient is None or patient.from_ == "dicom":
        raise SourceError(
            "Reports do not name their patient by themselves, and a split by report would let one patient train and test. Add "
            "`data.patient` to the plan: a column of the table, a pattern on the file name, or `each_report`."
        )
    if patient.from_ == "each_image":
        return lambda found: found.source
    if patient.from_ == "filename":
        pattern = patient_pattern(patient)
        return lambda found: caught(pattern, found.source)
    return _of_table(data, patient.column)


def _of_table(data: Data, column: str) -> Callable[[Found], str]:
    """Look into the row of the report itself, and where that has no such column, into the table of labels."""
    table = read_table(require_table(data.labels.table), []) if data.labels.table else []
    labels = data.labels
    is_named = bool(table) and column in table[0] and labels.image_column in table[0]
    match = image_matcher(table, labels.image_column) if is_named else None

    def of(found: Found) -> str:
        if column in found.cells:
            return found.cells[column]
        if match is None:
            raise SourceError(
                f"Neither the reports nor the table of labels have a column “{column}” for the patient. Correct "
                "`data.patient.column` in the plan."
            )
        numbers = match(found.source, "", False)
        return table[numbers[0]][column].strip() if numbers else ""

    return of
