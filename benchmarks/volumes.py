"""One CT series to a volume, lucency beside SimpleITK, MONAI, TorchIO and dicom2nifti: `python -m benchmarks.volumes`.

The series is made on the spot: 100 slices of 512 × 512, uncompressed, in a folder of their own. Each reads the folder into an
array of Hounsfield units, as its documentation would; lucency also finds the series, checks its geometry and turns it.
Wall-clock time, in turn, one process each way; files are in the cache of the system.
"""

import importlib.util
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ct_slices import SIZE, write_series
from lucency.data.volumes import find_volumes, read_stack

N_SLICES, N_ROUNDS = 100, 9

Values = NDArray[np.generic]


def lucency(folder: Path) -> Values:
    """Find the volumes below the folder and read the only one."""
    (stack,) = find_volumes(folder)
    volume = read_stack(stack).volume
    assert volume is not None
    return volume.values


def pydicom_and_numpy(folder: Path) -> Values:
    """Do no more than is needed for such a series, without a check: the fastest that Python can be expected to be."""
    import pydicom

    headers = [pydicom.dcmread(path) for path in folder.iterdir()]
    headers.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    values = np.empty((len(headers), SIZE, SIZE), np.int16)
    for plane, header in zip(values, headers, strict=True):
        stored = np.frombuffer(header.PixelData, "<i2").reshape(SIZE, SIZE)
        np.add(stored, np.int16(header.RescaleIntercept), out=plane)
    return values


def simpleitk(folder: Path) -> Values:
    """Read the series that GDCM sorts by geometry."""
    import SimpleITK as sitk  # noqa: N813 - its own habit

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(reader.Execute())


def monai(folder: Path) -> Values:
    """Read with its PydicomReader."""
    from monai.data import PydicomReader

    reader = PydicomReader()
    return np.asarray(reader.get_data(reader.read(str(folder)))[0])


def torchio(folder: Path) -> Values:
    """Load a scalar image from the folder."""
    import torchio as tio

    return tio.ScalarImage(folder).data.numpy()


def dicom2nifti(folder: Path) -> Values:
    """Convert to NIfTI in memory, without turning the axes, and take the array."""
    from dicom2nifti import common, convert_dicom

    slices = common.read_dicom_directory(str(folder))
    return np.asanyarray(convert_dicom.dicom_array_to_nifti(slices, None, reorient_nifti=False)["NII"].dataobj)


PEERS = {
    "SimpleITK": ("SimpleITK", simpleitk),
    "MONAI": ("monai", monai),
    "TorchIO": ("torchio", torchio),
    "dicom2nifti": ("dicom2nifti", dicom2nifti),
    "pydicom and NumPy, without a check": ("pydicom", pydicom_and_numpy),
}
"""Name → module to look for, and the function."""


@dataclass(frozen=True)
class Timing:
    """How long one reading took."""

    milliseconds: float
    processor_milliseconds: float


def time_once(read: Callable[[Path], Values], folder: Path, total: int) -> Timing:
    """Read once, and see that all voxels are there."""
    spent, started = time.process_time(), time.perf_counter()
    values = read(folder)
    timing = Timing(1000 * (time.perf_counter() - started), 1000 * (time.process_time() - spent))
    assert values.size == N_SLICES * SIZE * SIZE
    assert round(float(values.sum(dtype=np.float64))) == total
    return timing


def main() -> None:
    """Make the series, take turns, and print the table."""
    warnings.simplefilter("ignore")  # remarks of the peers are not ours to tell
    logging.disable(logging.CRITICAL)
    readers = {"**lucency**": lucency}
    for name, (module, read) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed and left out; `pip install '.[bench]'` brings it.")
        else:
            readers[name] = read
    stored = np.random.default_rng(1).integers(0, 3000, (N_SLICES, SIZE, SIZE), np.int16)
    total = int((stored.astype(np.int64) - 1024).sum())
    with tempfile.TemporaryDirectory() as folder:
        write_series(Path(folder), stored)
        for read in readers.values():
            time_once(read, Path(folder), total)
        rounds = [[time_once(read, Path(folder), total) for read in readers.values()] for _ in range(N_ROUNDS)]
    print(f"\n### {N_SLICES} slices of {SIZE} × {SIZE} to one volume, {N_ROUNDS} rounds\n")
    print("| | ms: lowest, median, highest | processor ms | lucency is faster by |\n|:--|--:|--:|--:|")
    for name, *timings in zip(readers, *rounds, strict=True):
        wall = sorted(timing.milliseconds for timing in timings)
        spent = statistics.median(timing.processor_milliseconds for timing in timings)
        ratio = statistics.median(
            timing.processor_milliseconds / ours[0].processor_milliseconds
            for timing, ours in zip(timings, rounds, strict=True)
        )
        print(
            f"| {name} | {wall[0]:.0f}, **{statistics.median(wall):.0f}**, {wall[-1]:.0f} | {spent:.0f} | {ratio:.2f} × |"
        )


if __name__ == "__main__":
    main()
