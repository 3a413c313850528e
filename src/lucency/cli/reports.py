"""`lucency reports`."""

from pathlib import Path
from typing import Annotated

import typer


def reports(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of reports, or a table (CSV or XLSX).")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path("reports-labels"),
    findings: Annotated[
        Path | None,
        typer.Option("--findings", metavar="FILE", help="Your own list of findings and their words (YAML)."),
    ] = None,
    text_column: Annotated[
        list[str] | None,
        typer.Option(
            "--text-column", metavar="COLUMN", help="Column of the text; several are joined in the given order."
        ),
    ] = None,
    report_column: Annotated[
        str, typer.Option("--report-column", metavar="COLUMN", help="Column that names the report.")
    ] = "",
    reread: Annotated[
        list[str] | None,
        typer.Option(
            "--reread", metavar="FINDING", help="Finding of the sample to read again; may be given repeatedly."
        ),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", metavar="N", min=0, help="Reports to read again a finding.")] = 100,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Draws another sample.")] = 0,
) -> None:
    """Read radiology reports by rules: which findings each states, denies or doubts, and by which words."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.reports import Asked, read_reports

        columns, chosen = tuple(text_column or ()), tuple(reread or ())
        read_reports(Asked(source, out, findings, columns, report_column, chosen, sample, seed), desk)
