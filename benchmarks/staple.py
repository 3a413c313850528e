"""One mask of what five readers drew, 256 × 256 × 256 voxels: `python -m benchmarks.staple`.

SimpleITK's STAPLE is ITK's, which visits every voxel in each step; ours counts the voxels by their pattern of votes once. Both
are run until they stop by themselves, on the same masks in memory; SimpleITK with one thread, as ours has.
"""

import statistics
import time

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from lucency.data.ground_truth.staple import staple

N_READERS, SIDE, N_ROUNDS = 5, 256, 3


def drawn_by_five() -> NDArray[np.bool_]:
    """Draw an ellipsoid five times, each reader a little off, with strokes that slipped; axes (reader, slice, row, column)."""
    draw = np.random.default_rng(1)
    axes = np.ogrid[:SIDE, :SIDE, :SIDE]
    masks = []
    for _ in range(N_READERS):
        middle, radius = 128 + draw.normal(0, 2, 3), np.array([60, 75, 50]) + draw.normal(0, 2, 3)
        inside = sum(((axis - m) / r) ** 2 for axis, m, r in zip(axes, middle, radius, strict=True)) < 1
        slipped = draw.random((SIDE,) * 3, dtype=np.float32) < 2e-6
        masks.append(inside ^ binary_dilation(slipped, iterations=5))
    return np.stack(masks)


def main() -> None:
    """Print the seconds of each, and how far their results lie apart."""
    masks = drawn_by_five()
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks]
    filter_ = SimpleITK.STAPLEImageFilter()
    filter_.SetForegroundValue(1)
    filter_.SetNumberOfThreads(1)
    processor, wall = {"ours": [], "theirs": []}, {"ours": [], "theirs": []}
    results = {}
    for _ in range(N_ROUNDS):
        for name, run in (("ours", lambda: staple(masks)), ("theirs", lambda: filter_.Execute(images))):
            start, start_wall = time.process_time(), time.perf_counter()
            results[name] = run()
            processor[name].append(time.process_time() - start)
            wall[name].append(time.perf_counter() - start_wall)
    ours, theirs = (statistics.median(processor[name]) for name in ("ours", "theirs"))
    apart = np.abs(results["ours"].probability - SimpleITK.GetArrayFromImage(results["theirs"])).max()
    rates = np.abs(results["ours"].sensitivity - filter_.GetSensitivity()).max()
    print(f"\n### STAPLE: {N_READERS} readers, {SIDE}³ voxels, {N_ROUNDS} rounds\n")
    print("| | processor s | wall s | ours is faster by |\n|:--|--:|--:|--:|")
    print(f"| **lucency** | {ours:.2f} | {statistics.median(wall['ours']):.2f} | |")
    print(f"| SimpleITK | {theirs:.2f} | {statistics.median(wall['theirs']):.2f} | {theirs / ours:.1f} × |")
    print(f"\nLargest difference: {apart:.1e} in a probability, {rates:.1e} in a sensitivity.")
    print(f"Steps: ours {results['ours'].n_iterations}, SimpleITK {filter_.GetElapsedIterations()}.")


if __name__ == "__main__":
    main()
