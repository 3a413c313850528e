"""`lucency suspects`."""

from typing import Annotated

import typer

from lucency.cli.run import Out, Settings, Source, open_study

Folds = Annotated[
    int | None, typer.Option("--folds", metavar="N", help="Folds of the cross-validation; by default as the plan says.")
]


def suspects(
    context: typer.Context, study: Source, out: Out = None, folds: Folds = None, settings: Settings = None
) -> None:
    """Find labels that are probably wrong, for people to look at; the test set stays sealed."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.suspects import SHEET, SUSPECTS, find_suspect_labels
        from lucency.study.folder import StudyFolder

        more = [f"label_audit.folds={folds}"] if folds else []
        plan, folder = open_study(study, out, [*(settings or []), *more])
        find_suspect_labels(plan, StudyFolder(folder.resolve()), desk)
        desk.say(f"Look at {folder / SHEET}, and fill in {folder / SUSPECTS}.")
