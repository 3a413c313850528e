"""Join a table of clinical data with the patients of a cohort, and leave out what could lead back to a person.

The table names patients as the hospital does. Those names serve for joining, in memory, and are not written down.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucency.data.facts import one_spelling
from lucency.data.ground_truth.tables import Table, read_table
from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.data_plan import ClinicalTable, Data
from lucency.domain.description import ClinicalJoin
from lucency.errors import SourceError
from lucency.provenance import sha256_of

SETTING = "data.clinical.table"
MOST_TEXTS = 30
"""A column of words with more different values is free text."""
LONGEST_TEXT = 60
"""A longer text is free text."""
WORDS_OF_A_SENTENCE = 4
"""So many words that only one patient has are no category."""
OLDEST = 89
"""Ages above are written as 90, as in the cohort."""

_NOT_KNOWN = {"na", "n/a", "n.a.", "nan", "null", "-", "–", "—", "?", ".", "unknown", "missing", "unbekannt", "k.a."}
_PERSON = {
    *(
        "name",
        "firstname",
        "lastname",
        "surname",
        "forename",
        "vorname",
        "nachname",
        "nom",
        "prenom",
        "nombre",
        "apellido",
    ),
    *("birth", "birthday", "birthdate", "dob", "geburt", "geburtsdatum", "geb", "naissance", "nacimiento"),
    *(
        "address",
        "street",
        "city",
        "zip",
        "postcode",
        "postal",
        "plz",
        "adresse",
        "anschrift",
        "strasse",
        "ort",
        "wohnort",
    ),
    *("phone", "telephone", "tel", "telefon", "mobile", "fax", "email", "mail"),
    *(
        "mrn",
        "ssn",
        "nhs",
        "accession",
        "insurance",
        "versicherung",
        "versicherungsnummer",
        "fallnummer",
        "uid",
        "uuid",
    ),
    *(
        "physician",
        "doctor",
        "referrer",
        "arzt",
        "ärztin",
        "surgeon",
        "radiologist",
        "operator",
        "relative",
        "employer",
    ),
}
"""Words in the name of a column that holds who somebody is, or somebody else's name."""
_THINGS = {"drug", "test", "site", "scanner", "protocol", "disease", "diagnosis", "study", "device"}
"""Words that make a “name” that of a thing."""
_AGE = {"age", "alter", "edad", "eta", "idade"}
_DATE = re.compile(
    r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](\d{4}|\d{2})|(19|20)\d{2}[01]\d[0-3]\d)([ T].*)?"
)
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.\w+|\+?[\d\s/()-]*\d{3}[\s/()-]+\d[\d\s/()-]{4,}")
_LONG_NUMBER = re.compile(r"\d{6,}")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,(\d{1,2}|\d{4,})")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
_MOST = 0.9
"""Share of the values that makes a rule speak for the column."""


@dataclass(frozen=True)
class Clinical:
    """A clinical table in memory, by the patient's identifier."""

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    """Identifier, as the images spell it → column → value."""
    row_numbers: Mapping[str, Sequence[int]]
    """Identifier → its rows in the file, counted from 2."""
    left_out: Mapping[str, str]
    n_contradictions: Mapping[str, int]

    def of(self, patient: str) -> Mapping[str, str]:
        """Return the values of one patient, empty texts where the table does not know."""
        return self.rows.get(patient) or dict.fromkeys(self.columns, "")


@dataclass(frozen=True)
class JoinedTable:
    """One row for each patient of the cohort (`clinical.csv`), and how it was joined."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    facts: ClinicalJoin


NO_CLINICAL = Clinical((), {}, {}, {}, {})
"""What a plan without a clinical table knows: nothing."""


def read_clinical(data: Data, naming: Naming = SAME_NAMES) -> Clinical:
    """Read the clinical table of a plan, without the columns that could lead back to a person.

    `naming` is the way from the patients in the table to those in the headers of the images.

    Raises:
        SourceError: the table is missing or unreadable, or lacks a column.
    """
    settings = data.clinical
    if settings is None:
        return NO_CLINICAL
    table = read_table(Path(settings.table), [settings.patient_column, *(settings.columns or ())], SETTING)
    wanted = [c for c in settings.columns or table[0] if c != settings.patient_column]
    values = {column: _cleaned(column, [row[column] for row in table]) for column in wanted}
    patients = [row[settings.patient_column] for row in table]
    reasons = {column: reason_to_leave_out(column, values[column], patients) for column in wanted}
    left_out = {column: reason for column, reason in reasons.items() if reason}
    columns = tuple(column for column in wanted if column not in left_out)
    is_from_dicom = data.patient is None or data.patient.from_ == "dicom"
    numbers = _rows_of_patients(table, settings, is_from_dicom)
    if is_from_dicom:
        numbers = {naming.new_patient(patient): places for patient, places in numbers.items()}
    n_contradictions: Counter[str] = Counter()
    rows = {}
    for patient, places in numbers.items():
        told = {column: {values[column][place] for place in places} - {""} for column in columns}
        n_contradictions.update(column for column, found in told.items() if len(found) > 1)
        rows[patient] = {column: found.pop() if len(found) == 1 else "" for column, found in told.items()}
    in_file = {patient: [place + 2 for place in places] for patient, places in numbers.items()}
    return Clinical(columns, rows, in_file, left_out, dict(n_contradictions))


def join_clinical(clinical: Clinical, patients: Mapping[str, str], kept: Collection[str]) -> JoinedTable:
    """Join the table with the patients of a cohort.

    `patients` maps the hash of an identifier to its number, `kept` names the numbers of patients with images.

    Raises:
        SourceError: no row names a patient of the cohort.
    """
    number = {identifier: patients.get(sha256_of(identifier), "") for identifier in clinical.rows}
    rows = {number[identifier]: row for identifier, row in clinical.rows.items() if number[identifier]}
    numbers = sorted(kept)
    facts = ClinicalJoin(
        columns=clinical.columns,
        n_matched=sum(patient in rows for patient in numbers),
        patients_without_row=tuple(patient for patient in numbers if patient not in rows),
        rows_without_patient=tuple(
            sorted(
                place
                for identifier, places in clinical.row_numbers.items()
                if not number[identifier]
                for place in places
            )
        ),
        left_out=dict(clinical.left_out),
        n_contradictions=dict(clinical.n_contradictions),
    )
    if not facts.n_matched:
        raise SourceError(
            f"None of the {len(clinical.rows)} patients of the clinical table is a patient of the images. Set "
            "`data.clinical.patient_column` to the column that names them as the images do, and `data.clinical.issuer` "
            "where the DICOM headers name an issuer of the Patient IDs."
        )
    empty = dict.fromkeys(clinical.columns, "")
    cells = (tuple(rows.get(patient, empty).values()) for patient in numbers)
    return JoinedTable(
        ("patient_id", *clinical.columns),
        tuple((patient, *values) for patient, values in zip(numbers, cells, strict=True)),
        facts,
    )


def reason_to_leave_out(column: str, values: Sequence[str], patients: Sequence[str]) -> str:
    """Say why a column could lead back to a person; empty where nothing speaks against it."""
    words = _words(column)
    if words & _PERSON and not ("name" in words and words & _THINGS):
        return "its name says that it tells who somebody is"
    known = [value for value in values if value]
    if not known:
        return "it is empty"
    if sum(a.upper() == b.upper() for a, b in zip(values, patients, strict=True) if a) >= _MOST * len(known):
        return "it repeats the patient"
    if _share(known, _DATE) >= 0.5:
        return "it holds dates"
    if _share(known, _CONTACT) >= 0.5:
        return "it holds addresses or telephone numbers"
    counts = Counter(known)
    if _share(known, _LONG_NUMBER) >= _MOST and len(counts) >= max(2, _MOST * len(known)):
        return "it holds long numbers that differ from patient to patient"
    if _share(known, _NUMBER) < _MOST and _is_free_text(counts):
        return "it holds free text or too many different words"
    return ""


def _is_free_text(counts: Counter[str]) -> bool:
    """Tell sentences and lists without end from categories, whose few values return."""
    single = [value for value, n in counts.items() if n == 1]
    if len(counts) > MOST_TEXTS or max(map(len, counts)) > LONGEST_TEXT:
        return True
    return len(single) > max(3, counts.total() / 2) or any(
        len(value.split()) >= WORDS_OF_A_SENTENCE for value in single
    )


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(value) is not None for value in values) / len(values)


def _cleaned(column: str, values: Sequence[str]) -> list[str]:
    """Empty what only says that nothing is known, write decimal commas as points, and cap ages."""
    values = ["" if value.lower() in _NOT_KNOWN else value for value in values]
    known = [value for value in values if value]
    if any(_DECIMAL_COMMA.fullmatch(value) for value in known) and all(_NUMBER.fullmatch(value) for value in known):
        values = [value.replace(",", ".") for value in values]
    if _words(column) & _AGE:
        return [str(OLDEST + 1) if _NUMBER.fullmatch(value) and float(value) > OLDEST else value for value in values]
    return values


def _words(column: str) -> set[str]:
    """Take the name of a column apart: "PatientName", "patient_name" and "Patient name" are the same."""
    return set(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-zäöü])(?=[A-Z])", " ", column).lower()))


def _rows_of_patients(table: Table, settings: ClinicalTable, is_from_dicom: bool) -> dict[str, list[int]]:
    """Find the rows of each patient, by the identifier that the curation finds in the images."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(table):
        patient = row[settings.patient_column]
        if is_from_dicom:
            identifier, _, issuer = patient.partition("@")
            patient = one_spelling(identifier, issuer or settings.issuer or "")
        found[patient].append(place)
    return found
