"""`lucency curate`."""

from typing import Annotated

import typer

from lucency.cli.run import Out, Settings, Source, carry_out

Diff = Annotated[
    str | None,
    typer.Option(
        "--diff",
        metavar="VERSION|DIR",
        help="Say what changed since an earlier version of the cohort (its number, or `previous`), or since another study.",
    ),
]

Deidentify = Annotated[
    bool,
    typer.Option(
        "--deidentify",
        help="First take what identifies patients out of DICOM files, and read the copies; see data.deidentify.",
    ),
]


def curate(
    context: typer.Context,
    study: Source,
    out: Out = None,
    settings: Settings = None,
    deidentify: Deidentify = False,
    diff: Diff = None,
) -> None:
    """Read the images, refuse what cannot be used, and store the rest."""
    folder = carry_out(context, study, out, settings or [], until="curate", deidentify=deidentify)
    if diff is None:
        return
    from lucency.study.folder import StudyFolder
    from lucency.study.versions import describe_difference

    for sentence in describe_difference(StudyFolder(folder), diff):
        typer.echo(sentence)
