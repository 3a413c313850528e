"""Read folders with lucency or a peer, in a process with limits on time and memory.

Run as a program: `python -m bad_inputs.readers READER RESULTS FOLDER…`.
"""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from .case import Found
from .phantom import LPS_TO_RAS

N_SECONDS = 10
"""Processor time that one folder may take."""
N_SECONDS_ASLEEP = 120
"""Time on the clock after which a reader that waits for ever is stopped; long, because the machine may be busy."""
N_BYTES = 2 << 30
"""Memory that one folder may take."""


@dataclass(frozen=True)
class Reading:
    """What became of one folder."""

    found: tuple[Found, ...]
    end: str
    """Empty where the reader came to its end, else how it was stopped."""
    said: str
    """All that it wrote to the terminal, to logs and as warnings."""


def read_folders(reader: str, folders: Mapping[str, Path], results: Path) -> dict[str, Reading]:
    """Read each folder, whatever becomes of the others; `results` is an empty folder for what is told."""
    results.mkdir(parents=True, exist_ok=True)
    program = [sys.executable, "-m", f"{__package__}.readers", reader, str(results)]
    top = Path(__file__).parents[__package__.count(".") + 1]
    path = os.pathsep.join([str(top), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([*program, *map(str, folders.values())], check=True, env=environment)
    return {name: _reading(results / str(number)) for number, name in enumerate(folders)}


def _reading(path: Path) -> Reading:
    end = path.with_suffix(".end").read_text()
    said = path.with_suffix(".said").read_text(errors="replace")
    if end:
        return Reading((), end, said)
    found = json.loads(path.with_suffix(".json").read_text())
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        return Reading(
            tuple(
                Found(
                    files=None if one["files"] is None else tuple(one["files"]),
                    values=arrays.get(f"values{number}"),
                    affine=arrays.get(f"affine{number}"),
                    code=one["code"],
                    notes=tuple(one["notes"]),
                    unit=one["unit"],
                )
                for number, one in enumerate(found)
            ),
            end,
            said,
        )


# The readers ---------------------------------------------------------------------------------------------------------


def by_lucency() -> Callable[[Path], list[Found]]:
    """Return lucency's door."""
    from lucency.data.volumes import read_folder

    def read(folder: Path) -> list[Found]:
        return [
            Found(
                files=tuple(_relative(file, folder) for file in outcome.files),
                values=outcome.volume.values if outcome.volume else None,
                affine=outcome.volume.affine if outcome.volume else None,
                code=outcome.code,
                notes=outcome.notes,
                unit=outcome.volume.unit if outcome.volume else None,
            )
            for outcome in read_folder(folder)
        ]

    return read


def _relative(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_absolute() else file


def by_simpleitk() -> Callable[[Path], list[Found]]:
    """Return SimpleITK's way: the series of each folder by itself, in the order that it finds."""
    import SimpleITK

    def read(folder: Path) -> list[Found]:
        reader = SimpleITK.ImageSeriesReader()
        found = []
        for place in (folder, *(path for path in sorted(folder.rglob("*")) if path.is_dir())):
            for series in reader.GetGDCMSeriesIDs(str(place)):
                files = reader.GetGDCMSeriesFileNames(str(place), series)
                reader.SetFileNames(files)
                image = reader.Execute() if len(files) > 1 else SimpleITK.ReadImage(files[0])
                affine = np.eye(4)
                affine[:3, :3] = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())[:, ::-1]
                affine[:3, 3] = image.GetOrigin()
                affine[:3] = LPS_TO_RAS @ affine[:3]
                found.append(Found(None, SimpleITK.GetArrayFromImage(image), affine))
        return found

    return read


def by_monai() -> Callable[[Path], list[Found]]:
    """Return MONAI's way: one volume of a folder."""
    from monai.data import PydicomReader

    def read(folder: Path) -> list[Found]:
        reader = PydicomReader()
        values, meta = reader.get_data(reader.read(str(folder)))
        affine = np.array(meta["affine"], np.float64)[:, [2, 1, 0, 3]]  # MONAI counts (column, row, slice)
        values = np.asarray(values)
        is_colour = values.shape[2:] == (3,) and len(list(folder.iterdir())) == 1
        if values.ndim == 2 or is_colour:
            return [Found(None, values.swapaxes(0, 1)[np.newaxis], affine)]
        return [Found(None, np.moveaxis(values, (0, 1, 2), (2, 1, 0)), affine)]

    return read


READERS = {"lucency": by_lucency, "SimpleITK": by_simpleitk, "MONAI": by_monai}


# In the child --------------------------------------------------------------------------------------------------------


def main(reader: str, results: str, *folders: str) -> None:
    """Read the folders in a fork of this process, and write down what came of each; where it dies, go on with the next."""
    read = READERS[reader]()
    left = {Path(results) / str(number): Path(folder) for number, folder in enumerate(folders)}
    while left:
        child = os.fork()
        if not child:
            _read_within_limits(read, left)
        status = os.waitpid(child, 0)[1]
        left = {stem: folder for stem, folder in left.items() if not stem.with_suffix(".end").exists()}
        if left:
            dead = next(iter(left))
            end = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status}"
            dead.with_suffix(".end").write_text(end)
            del left[dead]


def _read_within_limits(read: Callable[[Path], list[Found]], left: Mapping[Path, Path]) -> NoReturn:
    """Read one folder after another, and leave this process."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    warnings.simplefilter("always")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + N_BYTES, used + N_BYTES))
    for stem, folder in left.items():
        said = os.open(stem.with_suffix(".said"), os.O_CREAT | os.O_WRONLY)
        os.dup2(said, 1)
        os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + N_SECONDS, resource.RLIM_INFINITY))
        signal.alarm(N_SECONDS_ASLEEP)
        end = ""
        try:
            _write_down(read(folder), stem)
        except BaseException as error:  # whatever it is, the reader did not come to its end
            print(type(error).__name__, error, file=sys.stderr)  # noqa: T201
            end = "error"
        sys.stderr.flush()
        stem.with_suffix(".end").write_text(end)
    os._exit(0)


def _write_down(found: list[Found], stem: Path) -> None:
    told = [{"files": one.files, "code": one.code, "notes": one.notes, "unit": one.unit} for one in found]
    arrays = {f"values{k}": one.values for k, one in enumerate(found) if one.values is not None}
    places = {f"affine{k}": one.affine for k, one in enumerate(found) if one.affine is not None}
    np.savez(stem.with_suffix(".npz"), **arrays, **places)
    stem.with_suffix(".json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
