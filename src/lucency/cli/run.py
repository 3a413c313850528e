"""`lucency run`, and the verbs that stop after one stage."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # nothing heavy before a verb needs it
    from lucency.domain.plan import Plan

Source = Annotated[
    Path, typer.Argument(metavar="STUDY.yaml|DIR", help="A plan, or the folder of a study begun before.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of the study; by default NAME-study for NAME.yaml."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change a setting of the plan, for example training.epochs=5."),
]

STAGE_HELP = {
    "label": "… and join each image with its ground truth.",
    "split": "… and split by patient into training, tuning and test parts.",
    "describe": "… and describe the cohort: whom it stands for, and whether anything gives the label away.",
    "train": "… and train the networks and choose the threshold; the test set stays sealed.",
    "evaluate": "… and open the sealed test set and measure.",
    "explain": "… and show errors and what the network looked at.",
    "report": "… and write the report: the whole study, as `run` does.",
}


def run(context: typer.Context, study: Source, out: Out = None, settings: Settings = None) -> None:
    """Carry out a whole study, going on where it stopped."""
    carry_out(context, study, out, settings or [], until="report")


def make_verb(stage: str) -> Callable[..., None]:
    """Return the verb that carries a study out up to one stage."""

    def verb(context: typer.Context, study: Source, out: Out = None, settings: Settings = None) -> None:
        # the threshold is part of what is fixed before the test set is opened
        carry_out(context, study, out, settings or [], until="predict" if stage == "train" else stage)

    return verb


def carry_out(
    context: typer.Context, source: Path, out: Path | None, settings: list[str], until: str, deidentify: bool = False
) -> Path:
    """Open the plan and the folder, do the work, say where the report is, and return the folder."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.folder import StudyFolder
        from lucency.study.plan import with_deidentification
        from lucency.study.run import run as run_study

        plan, folder = open_study(source, out, settings)
        if deidentify:
            plan = with_deidentification(plan)
        run_study(plan, StudyFolder(folder.resolve()), desk, until)
        if until == "report":
            desk.say(f"Report: {folder / 'report.html'}")
    return folder.resolve()


def open_study(source: Path, out: Path | None, settings: list[str]) -> "tuple[Plan, Path]":
    """Read the plan, which may lie in the folder of a study begun before, and say which folder the study has.

    Raises:
        PlanError: the plan is missing or wrong.
    """
    from lucency.study.plan import read_plan

    if source.is_dir():
        plan_path, folder = source / "study.yaml", out or source
    else:
        plan_path, folder = source, out or Path(source.stem if source.stem == "study" else f"{source.stem}-study")
    return read_plan(plan_path, settings), folder
