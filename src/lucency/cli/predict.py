"""`lucency predict`."""

from pathlib import Path
from typing import Annotated

import typer


def predict(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished study.")],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGES …", help="New images: files, or folders of files, as the study has them."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the results; by default DIR-predictions.")
    ] = None,
    dicom: Annotated[
        bool, typer.Option("--dicom", help="Write a structured report (SR), and masks as SEG, of each image in DICOM.")
    ] = False,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="PACS", help="Store these in a PACS: pacs://AE@host:port or dicomweb://host:port/path."
        ),
    ] = "",
) -> None:
    """Let the networks of a finished study answer new images, with a warning where one is unlike what they learnt from."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.applying.new_images import TABLE, Wanted, apply_study, refuse_silence

        folder = out or Path(f"{study.resolve().name}-predictions")
        told = apply_study(study, images, folder, desk, Wanted(dicom, to))
        desk.say(f"Answers: {folder / TABLE}")
        refuse_silence(told)
