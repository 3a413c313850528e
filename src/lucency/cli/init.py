"""`lucency init`."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of images, or a MedMNIST .npz file.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the plan.")] = Path("study.yaml"),
) -> None:
    """Look at a folder of images, propose a commented plan, and say what is unclear."""
    from lucency.errors import PlanError
    from lucency.provenance import write_atomically
    from lucency.study.beside.proposal import propose

    if out.exists():
        raise PlanError(f"{out} exists already. Move it away, or write elsewhere with --out.")
    proposal = propose(source, out.resolve().parent)
    write_atomically(out, proposal.plan)
    for sentence in proposal.remarks:
        context.obj.say(sentence)
    context.obj.say(f"Wrote {out}. Read it, answer what is marked with “CHECK”, and start with: lucency run {out}")
