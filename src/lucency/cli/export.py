"""`lucency export`."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished study.")],
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Each network as ONNX, held against itself on real images.")
    ] = False,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Weights and configuration, laid out as a MONAI bundle.")
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="A model card with the numbers of the study.")] = False,
) -> None:
    """Take the networks of a finished study elsewhere, with all that belongs to them; everything, unless forms are named."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.applying.export import FORMS, export_study, exportable

        chosen = [form for form, is_wanted in zip(FORMS, (onnx, bundle, card), strict=True) if is_wanted]
        opened = exportable(study, desk)
        for name in export_study(opened, chosen or FORMS):
            desk.say(f"  {study / name}")
