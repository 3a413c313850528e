"""`lucency deidentify`."""

from pathlib import Path
from typing import Annotated

import typer


def deidentify(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="Folder of DICOM files, and reports (.txt) beside them.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results; empty, or begun before.")],
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="FILE", help="File with the secret key, made if absent; by default OUT-private/key."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A=B", help="Change a setting, for example dates=remove; see data.deidentify."),
    ] = None,
) -> None:
    """Take what identifies patients out of DICOM files and reports, and account for every file."""
    desk = context.obj
    with desk.stoppable():
        from lucency.data.codes import EXPLANATIONS
        from lucency.data.dicom.deidentification.account import Fate
        from lucency.data.dicom.deidentification.folder import deidentify_folder
        from lucency.study.plan import read_deidentification

        plan = read_deidentification(settings or [])
        key_file = key or (Path(plan.key) if plan.key else out.with_name(f"{out.resolve().name}-private") / "key")
        summary = deidentify_folder(source, out, plan, key_file, desk)
        counts = ", ".join(f"{summary.n_files(fate)} {fate.value}" for fate in Fate)
        desk.say(f"{len(summary.files)} files: {counts}. PS3.15 {summary.edition}, {summary.n_patients} patients.")
        for code in sorted({row.code for row in summary.files if row.code}):
            n_files = sum(row.code == code for row in summary.files)
            desk.say(f"  {code} ({n_files}): {EXPLANATIONS[code]}")
        desk.say(f"Report: {out / 'deidentification.html'}. It says what may remain; please read it.")
        if summary.review_sheet:
            desk.say(f"To look at (private): {summary.review_sheet}")
        desk.say(f"Keep apart from the results: {key_file.parent}")
