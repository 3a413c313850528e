"""`lucency demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the cohort and the study.")] = Path(
        "lucency-demo"
    ),
) -> None:
    """Make up a cohort of chest radiographs and carry a whole study out on it (about two minutes)."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.demo import prepare_demo
        from lucency.study.folder import StudyFolder
        from lucency.study.plan import read_plan
        from lucency.study.run import run

        plan_path = prepare_demo(out.resolve(), desk)
        run(read_plan(plan_path), StudyFolder(out.resolve() / "study"), desk)
        desk.say(f"Report: {out / 'study' / 'report.html'}")
