"""How far readers agree whose readings stand in a table, and what they say together; no images are needed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lucency.domain.cohort import CohortRow
from lucency.domain.estimate import Estimate
from lucency.domain.labels_plan import Consensus, Readers
from lucency.domain.progress import Desk
from lucency.errors import PlanError, SourceError
from lucency.study.folder import StudyFolder

if TYPE_CHECKING:  # pandas takes time to import, and `lucency --help` does without
    from lucency.data.ground_truth.consensus import Fused
    from lucency.domain.readings import Readings
    from lucency.report.agreement import AgreementPage

READINGS, AGREEMENT, CONSENSUS, PAGE = "readings.csv", "agreement.csv", "consensus.csv", "agreement.html"


@dataclass(frozen=True)
class Asked:
    """What is asked of the table."""

    table: Path
    out: Path
    case_column: str
    questions: tuple[str, ...]
    """Columns with the answers."""
    patient_column: str = ""
    """Empty where every case is another patient."""
    reader_column: str = ""
    """Empty where nobody knows which reader made which reading."""
    scale: str = "nominal"
    levels: tuple[str, ...] = ()
    n_readings: int = 0
    """Only cases with exactly so many readings; 0 for all."""
    rule: Literal["majority", "any", "all", "dawid_skene", "mean", "median"] = "majority"
    """How one label is made of several."""
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class _Row:
    case: str
    patient: str
    reader: str
    answers: tuple[str, ...]


def tell_agreement(asked: Asked, desk: Desk) -> None:
    """Measure the agreement on every question, make the consensus, and write tables and a page.

    Raises:
        SourceError: the table cannot be used.
        PlanError: the scale or the rule does not suit the answers.
    """
    from lucency.data.ground_truth.consensus import fuse
    from lucency.data.ground_truth.readings import read_readings
    from lucency.evaluation.agreement.description import describe_agreement
    from lucency.report.agreement import render_agreement

    if asked.rule == "dawid_skene" and not asked.reader_column:
        raise PlanError("`--rule dawid_skene` has to know who read what: name the column with --reader.")
    folder = StudyFolder(asked.out)
    rows = _rows(asked)
    cases = {case: f"case-{number:06d}" for number, case in enumerate(dict.fromkeys(row.case for row in rows), 1)}
    _write_readings(folder, rows, cases, asked)
    patient_of = {row.case: row.patient for row in rows}
    kept = [CohortRow(code, patient_id=patient_of[case], source=code) for case, code in cases.items()]
    tables = read_readings(_as_readers(asked, folder), None, kept)
    fused: dict[str, Fused] = {}
    estimates: list[Estimate] = []
    for readings in tables.readings:
        are_known = bool(asked.reader_column)
        found = describe_agreement(readings, asked.level, asked.seed, are_known)
        estimates += [replace(one, part=readings.question) for one in found]
        if readings.is_categorical:
            fused[readings.question] = fuse(readings, Consensus(rule=asked.rule))
    columns = [field.name for field in fields(Estimate)]
    folder.write_table(AGREEMENT, columns, [asdict(one).values() for one in estimates])
    folder.write_table(CONSENSUS, ["case", "question", "label", "code", "votes"], _consensus_rows(fused, cases))
    page = _page(asked, rows, tables.readings, estimates, fused)
    folder.write(PAGE, render_agreement(page))
    _tell(page, asked, desk)


def _rows(asked: Asked) -> list[_Row]:
    """Read the table; where nobody knows the readers, the readings of a case are numbered as they come."""
    from lucency.data.ground_truth.tables import read_table

    named = [column for column in (asked.patient_column, asked.reader_column) if column]
    table = read_table(asked.table, [asked.case_column, *named, *asked.questions], "TABLE")
    n_seen: Counter[str] = Counter()
    rows = []
    for number, line in enumerate(table, start=2):
        case = line[asked.case_column]
        if not case:
            raise SourceError(
                f"{asked.table.name}, row {number}: the column “{asked.case_column}” is empty. Fill it in, or take the row out."
            )
        n_seen[case] += 1
        patient = line[asked.patient_column] if asked.patient_column else case
        reader = line[asked.reader_column] if asked.reader_column else f"reading {n_seen[case]}"
        rows.append(_Row(case, patient, reader, tuple(line[question] for question in asked.questions)))
    _refuse_two_patients(rows, asked)
    if not asked.n_readings:
        return rows
    chosen = [row for row in rows if n_seen[row.case] == asked.n_readings]
    if not chosen:
        raise SourceError(
            f"No case of {asked.table.name} has exactly {asked.n_readings} readings. Leave --readings out."
        )
    return chosen


def _refuse_two_patients(rows: Sequence[_Row], asked: Asked) -> None:
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        patients[row.case].add(row.patient)
    if shared := sum(len(whose) > 1 for whose in patients.values()):
        raise SourceError(
            f"{shared} cases of {asked.table.name} belong to more than one patient. Check --case and --patient: a case needs "
            "a name of its own."
        )


def _write_readings(folder: StudyFolder, rows: Sequence[_Row], cases: dict[str, str], asked: Asked) -> None:
    """Write one row a reading; this is what is read, and what somebody can check."""
    header = ["image", "case", "patient", "reader", *asked.questions]
    folder.write_table(READINGS, header, [[cases[r.case], r.case, r.patient, r.reader, *r.answers] for r in rows])


def _as_readers(asked: Asked, folder: StudyFolder) -> Readers:
    """Put the questions into the words of the plan."""
    return Readers.model_validate(
        {
            "tables": [str(folder.path / READINGS)],
            "questions": asked.questions,
            "scale": asked.scale,
            "levels": asked.levels,
        }
    )


def _consensus_rows(fused: "dict[str, Fused]", cases: dict[str, str]) -> Iterator[list[str]]:
    for question, found in fused.items():
        for case, verdict in zip(cases, found.verdicts, strict=True):
            yield [case, question, verdict.target, verdict.code, verdict.votes]


def _page(
    asked: Asked,
    rows: Sequence[_Row],
    readings: "Sequence[Readings]",
    estimates: Sequence[Estimate],
    fused: "dict[str, Fused]",
) -> "AgreementPage":
    from lucency.evaluation.agreement.description import count_readings
    from lucency.report.agreement import AgreementPage, QuestionAsked

    asked_of = []
    for one in readings:
        verdicts = fused[one.question].verdicts if one.question in fused else ()
        codes = Counter(verdict.code for verdict in verdicts if verdict.code)
        asked_of.append(
            QuestionAsked(
                question=one.question,
                readings=tuple(count_readings(one).items()),
                estimates=tuple(estimate for estimate in estimates if estimate.part == one.question),
                labels=tuple((level, sum(v.target == level for v in verdicts)) for level in one.levels if verdicts),
                codes=tuple(sorted(codes.items())),
                notes=fused[one.question].notes if one.question in fused else (),
            )
        )
    return AgreementPage(
        table=asked.table.name,
        n_cases=len({row.case for row in rows}),
        n_patients=len({row.patient for row in rows}),
        n_readings=len(rows),
        are_readers_known=bool(asked.reader_column),
        are_patients_known=bool(asked.patient_column),
        rule=asked.rule,
        level=asked.level,
        questions=tuple(asked_of),
    )


def _tell(page: "AgreementPage", asked: Asked, desk: Desk) -> None:
    from lucency.evaluation.agreement.convention import strength_in_words
    from lucency.report import words

    desk.say(f"{page.n_readings} readings of {page.n_cases} cases ({words.of_patients(page.n_patients)}).")
    for one in page.questions:
        known = next((estimate for estimate in one.estimates if estimate.value is not None), None)
        if known is None:
            desk.say(f"{one.question}: agreement cannot be computed.")
            continue
        strength = strength_in_words(known)
        desk.say(f"{one.question}: {known.name} {words.quote(known)}{f', {strength}' if strength else ''}.")
    desk.say(f"Page: {asked.out / PAGE}; tables: {AGREEMENT}, {CONSENSUS}, {READINGS}.")
