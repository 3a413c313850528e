"""De-identification beside its peers: files a second, and which of 2,150 planted identifiers come through.

`python -m benchmarks.deidentification`. Every tool gets the same invented folder, with its default settings, file by file
where it would otherwise stop at the first that it cannot read. Processor time of all processes, imports left out. The
peers do not look at pixels; lucency does, unless it is told not to.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.planted_identifiers.generator import COUNTS, N_PLANTED, PUBLIC_SEED, plant
from tests.reliability.planted_identifiers.leaks import find_leaks
from tests.reliability.planted_identifiers.outputs import read_outputs
from tests.reliability.planted_identifiers.utility import count_equal_pixels, count_kept_intervals, count_kept_values


@dataclass(frozen=True)
class Score:
    """What became of the folder under one tool."""

    files_per_second: float
    n_written: int
    leaks: Counter[str]
    kept_values: tuple[int, int]
    equal_pixels: tuple[int, int]
    kept_intervals: tuple[int, int]


def main() -> None:
    """Clean one folder with every tool and print both tables."""
    with tempfile.TemporaryDirectory() as place:
        folder = plant(PUBLIC_SEED, Path(place) / "in")
        scores = {name: _score(folder, name, Path(place) / name.replace("/", "-")) for name in TOOLS}
        n_files = _count(folder.path)
    print(f"\n### De-identification of {n_files} invented files\n")
    print("| | " + " | ".join(scores) + " |\n|:--|" + "--:|" * len(scores))
    _print_row("files a second", scores, lambda score: f"{score.files_per_second:,.0f}")
    _print_row("DICOM files written", scores, lambda score: f"{score.n_written}")
    for group, n in COUNTS.items():
        _print_row(f"{group} ({n})", scores, lambda score, group=group: f"{score.leaks[group]}")
    _print_row(f"**leaks of {N_PLANTED:,}**", scores, lambda score: f"**{sum(score.leaks.values()):,}**")
    _print_row("technical values kept", scores, lambda score: _share(*score.kept_values))
    _print_row("clean images with equal pixels", scores, lambda score: "{} of {}".format(*score.equal_pixels))
    _print_row("patients whose interval is kept", scores, lambda score: "{} of {}".format(*score.kept_intervals))


def _print_row(title: str, scores: dict[str, Score], say: Callable[[Score], str]) -> None:
    print(f"| {title} | " + " | ".join(say(score) for score in scores.values()) + " |")


def _share(n: int, n_all: int) -> str:
    return f"{100 * n / n_all:.1f} %" if n_all else "–"


def _count(path: Path) -> int:
    return sum(file.is_file() for file in path.rglob("*"))


def _score(folder, name: str, out: Path) -> Score:
    """Run one tool in a process of its own and look at what it wrote and printed."""
    out.mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.deidentification", name, str(folder.path), str(out)]
    done = subprocess.run(command, capture_output=True, check=True)
    seconds = float(done.stdout.split()[-1])
    printed = done.stdout.rpartition(b"\n")[0] + done.stderr
    outputs = read_outputs(folder, out, printed)
    leaks = Counter(leak.planted.group for leak in find_leaks(folder, outputs))
    del leaks["bystander"]
    return Score(
        files_per_second=_count(folder.path) / seconds,
        n_written=sum(output.dataset is not None for output in outputs),
        leaks=leaks,
        kept_values=count_kept_values(folder, outputs),
        equal_pixels=count_equal_pixels(folder, outputs),
        kept_intervals=count_kept_intervals(folder, outputs),
    )


def _prepare_lucency(*options: str) -> Callable[[Path, Path], None]:
    import lucency.data.dicom.deidentification.folder  # noqa: F401 (imports are left out of the time)
    from lucency.cli.terminal import guarded

    def clean(source: Path, out: Path) -> None:
        guarded(["deidentify", str(source), str(out), *options])

    return clean


def _prepare_lucency_for_headers() -> Callable[[Path, Path], None]:
    return _prepare_lucency("--set", "burned_in=ignore")


def _prepare_dicom_anonymizer() -> Callable[[Path, Path], None]:
    from dicomanonymizer import anonymize

    def clean(source: Path, out: Path) -> None:
        for i, file in enumerate(_files(source)):
            _try(lambda file=file, i=i: anonymize(str(file), str(out / f"{i}.dcm"), {}, True))

    return clean


def _prepare_dicognito() -> Callable[[Path, Path], None]:
    import pydicom
    from dicognito.anonymizer import Anonymizer

    anonymizer = Anonymizer()

    def clean_one(file: Path, target: Path) -> None:
        with pydicom.dcmread(file) as dataset:
            anonymizer.anonymize(dataset)
            dataset.save_as(target, enforce_file_format=True)

    def clean(source: Path, out: Path) -> None:
        for i, file in enumerate(_files(source)):
            _try(lambda file=file, i=i: clean_one(file, out / f"{i}.dcm"))

    return clean


def _prepare_deid() -> Callable[[Path, Path], None]:
    from deid.config import DeidRecipe
    from deid.dicom import get_identifiers, replace_identifiers

    recipe = DeidRecipe()

    def clean_one(file: Path, out: Path) -> None:
        ids = get_identifiers([str(file)])
        replace_identifiers([str(file)], ids=ids, deid=recipe, save=True, output_folder=str(out), overwrite=True)

    def clean(source: Path, out: Path) -> None:
        for i, file in enumerate(_files(source)):
            (out / str(i)).mkdir()
            _try(lambda file=file, i=i: clean_one(file, out / str(i)))

    return clean


TOOLS = {
    "lucency": _prepare_lucency,
    "lucency, pixels not looked at": _prepare_lucency_for_headers,
    "dicom-anonymizer": _prepare_dicom_anonymizer,
    "dicognito": _prepare_dicognito,
    "pydicom/deid": _prepare_deid,
}


def _files(source: Path) -> list[Path]:
    return sorted(path for path in source.rglob("*") if path.is_file())


def _try(clean_one: Callable[[], object]) -> None:
    """Go on with the next file, as somebody would who calls the tool file by file."""
    try:
        clean_one()
    except Exception as error:
        print(type(error).__name__, file=sys.stderr)


def clean(name: str, source: Path, out: Path) -> None:
    """Run one tool in this process and print the seconds of processor time that it took, last."""
    run = TOOLS[name]()
    before = os.times()
    run(source, out)
    after = os.times()
    print(f"\n{sum(after[:4]) - sum(before[:4])}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        clean(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
