"""`lucency features`."""

from typing import Annotated

import typer

from lucency.cli.run import Out, Settings, Source, open_study

Before = Annotated[
    bool,
    typer.Option("--before-training", help="Of the network as training begins, with the weights of `transfer` if any."),
]


def features(
    context: typer.Context, study: Source, out: Out = None, before: Before = False, settings: Settings = None
) -> None:
    """Write what the last layer of a network is shown of each image, and how much a linear probe reads from it."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.features import export_features, files_of_features
        from lucency.study.folder import StudyFolder

        plan, folder = open_study(study, out, settings or [])
        export_features(plan, StudyFolder(folder.resolve()), desk, before)
        arrays, table, _ = files_of_features(before)
        desk.say(f"Features: {folder / table}, and for NumPy {folder / arrays}.")
