"""`lucency synthesise`."""

from pathlib import Path
from typing import Annotated

import typer


def synthesise(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished study of synthesis.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the images; empty or not there yet.")],
    n_images: Annotated[int, typer.Option("--n", metavar="N", min=1, max=100_000, help="Images to write.")] = 100,
    target: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Class of all images; by default as in the training part."),
    ] = None,
    first: Annotated[
        int,
        typer.Option(
            "--first", metavar="NUMBER", min=1, help="Number of the first image, to go on where a call ended."
        ),
    ] = 1,
) -> None:
    """Write synthetic images of a finished study as PNG files, each marked as synthetic; likely copies are held back."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.plan import read_plan
        from lucency.study.stage import Study
        from lucency.study.synthesis.giving import TABLE, give_images, open_finished

        folder = open_finished(study)
        plan = read_plan(folder.path / "study.yaml")
        given = give_images(Study(plan, folder, desk), n_images, target, first, out)
        last = given[-1].number
        n_held_back = last - first + 1 - len(given)
        desk.say(f"{len(given)} synthetic images: {out / TABLE}. The next number is {last + 1}.")
        if n_held_back:
            desk.say(f"{n_held_back} more were held back, because they lie very near to a training image.")
