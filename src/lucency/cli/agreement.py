"""`lucency agreement`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def agreement(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Table with a row for each reading (CSV or XLSX).")],
    case: Annotated[str, typer.Option("--case", metavar="COLUMN", help="Column that names the case.")],
    question: Annotated[
        list[str],
        typer.Option("--question", metavar="COLUMN", help="Column with the answers; may be given repeatedly."),
    ],
    patient: Annotated[str, typer.Option("--patient", metavar="COLUMN", help="Column that names the patient.")] = "",
    reader: Annotated[
        str, typer.Option("--reader", metavar="COLUMN", help="Column that names the reader, where that is known.")
    ] = "",
    scale: Annotated[
        Literal["nominal", "ordinal", "interval", "ratio"],
        typer.Option("--scale", help="Names, grades in an order, or measurements without and with a true zero."),
    ] = "nominal",
    level: Annotated[
        list[str] | None, typer.Option("--level", metavar="ANSWER", help="The grades in their order, one at a time.")
    ] = None,
    readings: Annotated[
        int, typer.Option("--readings", metavar="N", min=0, help="Only cases with exactly so many readings.")
    ] = 0,
    rule: Annotated[
        Literal["majority", "any", "all", "dawid_skene", "mean", "median"],
        typer.Option("--rule", help="How one label is made of several."),
    ] = "majority",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path("agreement"),
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """Measure how far readers agree, and make one label of what they said, from a table alone."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.agreement import Asked, tell_agreement

        asked = Asked(
            table=table,
            out=out,
            case_column=case,
            questions=tuple(question),
            patient_column=patient,
            reader_column=reader,
            scale=scale,
            levels=tuple(level or ()),
            n_readings=readings,
            rule=rule,
            seed=seed,
        )
        tell_agreement(asked, desk)
