"""`lucency transfer-curve`."""

from typing import Annotated

import typer

from lucency.cli.run import Out, Settings, Source, open_study

Patients = Annotated[
    str | None,
    typer.Option("--patients", metavar="N,N,…", help="Numbers of training patients, for example 100,300,1000."),
]
Repeats = Annotated[
    int | None, typer.Option("--repeats", metavar="N", help="How often, each time with other patients.")
]


def transfer_curve(
    context: typer.Context,
    study: Source,
    out: Out = None,
    patients: Patients = None,
    repeats: Repeats = None,
    settings: Settings = None,
) -> None:
    """Compare training from scratch with transfer, by the number of training patients; the test set stays sealed."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.transfer_curve import CURVE_PAGE, draw_transfer_curve
        from lucency.study.folder import StudyFolder

        more = [f"transfer_curve.patients=[{patients}]"] if patients else []
        more += [f"transfer_curve.repeats={repeats}"] if repeats else []
        plan, folder = open_study(study, out, [*(settings or []), *more])
        draw_transfer_curve(plan, StudyFolder(folder.resolve()), desk)
        desk.say(f"The curve: {folder / CURVE_PAGE}")
