"""`lucency masks`: masks and boxes from one format into another, and how far those who drew them agree."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Convert masks and boxes, or compare what several people drew.", no_args_is_help=True, rich_markup_mode=None
)

Images = Annotated[Path, typer.Option("--images", metavar="FOLDER", help="The images that were drawn on.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results; empty, or begun before.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="A=B", help="Change a setting of data.labels.drawings, for example names='{1: lung}'."
    ),
]


@app.command("convert")
def convert(
    context: typer.Context,
    drawings: Annotated[Path, typer.Argument(metavar="DRAWINGS", help="Folder of masks, or a COCO file.")],
    images: Images,
    out: Out,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="nifti, seg (DICOM), coco or png.")] = "nifti",
    settings: Settings = None,
) -> None:
    """Write masks and boxes in another format, after checking each against its image; exit code 1 if any was refused."""
    desk = context.obj
    with desk.stoppable():
        from lucency.errors import PlanError
        from lucency.study.beside.masks import FORMATS, TABLE, convert_masks
        from lucency.study.plan import read_drawings_settings

        if to not in FORMATS:
            raise PlanError(f"--to {to} is not a format. Choose one of: {', '.join(FORMATS)}.")
        plan = read_drawings_settings({"path": str(drawings)}, settings or [])
        fates = convert_masks(plan, images, to, out, desk)
        _tell(desk, fates, f"{out / TABLE} lists every drawing.")
    if any(fate.code for fate in fates):
        raise typer.Exit(1)


@app.command("compare")
def compare(
    context: typer.Context,
    readers: Annotated[
        list[Path],
        typer.Argument(metavar="READER_A READER_B …", help="A folder of masks (or COCO file) for each reader."),
    ],
    images: Images,
    out: Out,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient",
            metavar="PATTERN",
            help="Regular expression that finds the patient in a file name; by default the DICOM header tells, or each "
            "image is a patient of its own.",
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Measure how far readers agree on where, write their consensus, and show where they differ most."""
    desk = context.obj
    with desk.stoppable():
        from lucency.study.beside.mask_agreement import MEDIAN_DICE, PAGE, compare_masks
        from lucency.study.plan import read_drawings_settings

        plan = read_drawings_settings({"readers": _named(readers)}, settings or [])
        comparison = compare_masks(plan, images, out, patient, desk)
        for estimate in comparison.estimates:
            if estimate.name == MEDIAN_DICE and estimate.value is not None:
                desk.say(
                    f"Median Dice {estimate.value:.2f} ({_interval(estimate)}; {estimate.group}, {estimate.n} images)."
                )
            elif estimate.name == MEDIAN_DICE:
                desk.say(f"Not compared ({estimate.group}): {estimate.note}")
        _tell(desk, comparison.fates, f"Page: {out / PAGE}")
    if any(fate.code for fate in comparison.fates):
        raise typer.Exit(1)


def _interval(estimate: Any) -> str:
    if estimate.low is None or estimate.high is None:
        return estimate.note or "no interval"
    return f"{estimate.level:.0%} CI {estimate.low:.2f}–{estimate.high:.2f}"


def _named(folders: list[Path]) -> dict[str, str]:
    """Call each reader by the name of the folder, or by more of its path where two are called the same."""
    from lucency.errors import PlanError

    names = [folder.stem if folder.is_file() else folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [folder.as_posix() for folder in folders]
    if len(set(names)) < max(len(names), 2):
        raise PlanError("Name the folders of at least two different readers.")
    return {name: str(folder) for name, folder in zip(names, folders, strict=True)}


def _tell(desk: Any, fates: Any, where: str) -> None:
    """Count what was done, and name the reasons of what was not."""
    from lucency.data.codes import EXPLANATIONS

    refused = [fate for fate in fates if fate.code]
    desk.say(f"{len(fates) - len(refused)} drawings used, {len(refused)} refused. {where}")
    for code in sorted({fate.code for fate in refused}):
        names = [fate.drawing for fate in refused if fate.code == code]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        desk.say(f"  {code}: {EXPLANATIONS[code]} ({', '.join(names[:3])}{more})")
