"""`lucency reports`."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of reports, or a table (CSV, XLSX).")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the results go.")]
TextColumn = Annotated[
    str | None, typer.Option("--text-column", metavar="NAME", help="Column of the table that holds the reports.")
]
FindingsFile = Annotated[
    Path | None, typer.Option("--findings", metavar="FILE", help="Your own list of findings (YAML).")
]
Sample = Annotated[int, typer.Option("--sample", metavar="N", min=3, help="Reports a finding to be read again.")]


def reports(
    context: typer.Context,
    source: Source,
    out: Out = Path("reports-read"),
    text_column: TextColumn = None,
    findings: FindingsFile = None,
    sample: Sample = 60,
) -> None:
    """Label radiology reports by rules, and show the words behind each label. Nothing is sent anywhere."""
    desk = context.obj
    with desk.stoppable():
        from lucency.domain.plan import DEFAULT_SEED
        from lucency.study.reading_reports import PAGE, read_all_reports

        read_all_reports(source, out, desk, text_column, findings, sample, DEFAULT_SEED)
        desk.say(f"Look at {out / PAGE}; the labels stand in {out / 'labels.csv'}.")
