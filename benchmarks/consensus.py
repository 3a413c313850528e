"""Fusing masks and readings: `python -m benchmarks.consensus`.

STAPLE on five readers of 256 × 256 × 256 voxels beside SimpleITK's filter, in turn and to the same result; and the error
rates of five readers of 100,000 images.
"""

import time

import numpy as np
import SimpleITK

from benchmarks.side_by_side import Candidate, items_per_second
from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.data.ground_truth.staple import staple

SIDE, N_READERS, N_ROUNDS = 256, 5, 3
N_IMAGES = 100_000


def drawn_masks() -> np.ndarray:
    """Draw an organ as five readers do: shifted, larger or smaller, and with single voxels wrong."""
    draw = np.random.default_rng(1)
    along = np.arange(SIDE, dtype=np.float32)
    masks = np.empty((N_READERS, SIDE, SIDE, SIDE), bool)
    for mask in masks:
        centre, radius = draw.normal(SIDE / 2, 2, 3), draw.normal(SIDE / 3.2, 2)
        squares = [(along - place) ** 2 for place in centre]
        mask[:] = squares[0][:, None, None] + squares[1][:, None] + squares[2] < radius**2
        mask ^= draw.random(mask.shape, np.float32) < 0.002
    return masks


def measure_masks() -> None:
    """Time both on the same masks, and compare all that they estimate."""
    masks = drawn_masks()
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks]
    peer = SimpleITK.STAPLEImageFilter()
    peer.SetForegroundValue(1)
    seconds: dict[str, list[float]] = {"wall": [], "peer wall": []}

    def ours() -> None:
        start = time.perf_counter()
        staple(masks)
        seconds["wall"].append(time.perf_counter() - start)

    def theirs() -> None:
        start = time.perf_counter()
        peer.Execute(images)
        seconds["peer wall"].append(time.perf_counter() - start)

    candidates = [Candidate("lucency", ours, 1), Candidate("SimpleITK", theirs, 1)]
    rates = items_per_second(candidates, N_ROUNDS)
    fused, probability = staple(masks), SimpleITK.GetArrayFromImage(peer.Execute(images))
    farthest = float(np.abs(fused.probability - probability).max())
    rates_apart = float(np.abs(np.subtract(fused.sensitivity, peer.GetSensitivity())).max())
    print(f"\n### STAPLE\n\n{N_READERS} readers, {SIDE} × {SIDE} × {SIDE} voxels, medians of {N_ROUNDS} rounds.\n")
    print("| | processor seconds | seconds | lucency is faster by (processor) |\n|:--|--:|--:|--:|")
    print(f"| **lucency** | {1 / rates[0]:.2f} | {np.median(seconds['wall']):.2f} | |")
    print(
        f"| SimpleITK | {1 / rates[1]:.2f} | {np.median(seconds['peer wall']):.2f} | {rates[0] / rates[1]:.0f} × |\n\n"
        f"Probabilities differ by {farthest:.0e} at most, sensitivities by {rates_apart:.0e}."
    )


def measure_readings() -> None:
    """Time the error rates of five readers who did not see all images."""
    draw = np.random.default_rng(2)
    truth = draw.integers(0, 2, N_IMAGES)
    counts = np.zeros((N_IMAGES, N_READERS, 2), np.uint8)
    for reader, error in enumerate((0.1, 0.2, 0.3, 0.4, 0.15)):
        answers = truth ^ (draw.random(N_IMAGES) < error)
        seen = np.flatnonzero(draw.random(N_IMAGES) < 0.8)
        counts[seen, reader, answers[seen]] = 1
    [rate] = items_per_second([Candidate("lucency", lambda: dawid_skene(counts), 1)])
    fit = dawid_skene(counts)
    print(
        f"\n### Dawid and Skene\n\n{N_IMAGES:,} images, {N_READERS} readers, two classes: {1000 / rate:.0f} ms of processor "
        f"time for {len(fit.log_likelihood)} iterations."
    )


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    measure_masks()
    measure_readings()


if __name__ == "__main__":
    main()
