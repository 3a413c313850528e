"""Count how many planted shortcuts the probes find, and how many clean cohorts raise an alarm."""

from collections.abc import Callable

import numpy as np

from evaluation.cohorts import noise, probed, row
from lucency.domain.description import Probe
from lucency.evaluation.shortcuts import find_shortcuts
from reliability.conftest import Tally

N = 240
Draw = np.random.Generator
Planted = Callable[[np.ndarray, Draw], tuple[list, np.ndarray]]


def alarms(probes: tuple[Probe, ...]) -> set[str]:
    return {probe.name for probe in probes if probe.verdict == "found"}


def plain(targets: np.ndarray, random: Draw) -> tuple[list, np.ndarray]:
    """Two images a patient, two sites, ages and views; nothing has to do with the label."""
    rows = [
        row(i, i // 2, site="AB"[i // 2 % 2], age_years=str(40 + 7 * (i // 2) % 45), sex="FM"[i // 4 % 2], view="PA",
            manufacturer="Acme", model="X", spacing_mm=f"0.{1 + i // 2 % 4}×0.1", rows=64, columns=64)
        for i in range(N)
    ]  # fmt: skip
    return rows, noise(N, random)


def often(targets: np.ndarray, random: Draw, share: float = 0.9) -> np.ndarray:
    """Say of each patient whether the shortcut is there: in most of the ill, in few of the well."""
    patients = targets[::2]
    there = random.random(patients.size) < np.where(patients == 1, share, 1 - share)
    return np.repeat(there, 2)


def marker(targets: np.ndarray, random: Draw, at: tuple[slice, slice]) -> tuple[list, np.ndarray]:
    rows, pictures = plain(targets, random)
    pictures[often(targets, random), :, at[0], at[1]] = 255
    return rows, pictures


def told(targets: np.ndarray, random: Draw, column: str, values: tuple[str, str]) -> tuple[list, np.ndarray]:
    from dataclasses import replace

    rows, pictures = plain(targets, random)
    there = often(targets, random)
    return [replace(r, **{column: values[int(t)]}) for r, t in zip(rows, there, strict=True)], pictures


def brighter(targets: np.ndarray, random: Draw) -> tuple[list, np.ndarray]:
    rows, pictures = plain(targets, random)
    return rows, np.clip(pictures + 50.0 * often(targets, random, 0.95)[:, None, None, None], 0, 255).astype(np.uint8)


def bars(targets: np.ndarray, random: Draw) -> tuple[list, np.ndarray]:
    rows, pictures = plain(targets, random)
    pictures[often(targets, random), :, :, :4] = 0
    return rows, pictures


PLANTED: dict[str, tuple[Planted, str]] = {
    "a small marker in the upper left corner": (lambda t, r: marker(t, r, (slice(1, 4), slice(1, 4))), "border"),
    "a small marker in the lower right corner": (lambda t, r: marker(t, r, (slice(-4, -1), slice(-4, -1))), "border"),
    "a line of text at the lower edge": (lambda t, r: marker(t, r, (slice(-3, -1), slice(20, 44))), "border"),
    "a black bar at the side": (bars, "border"),
    "another exposure": (brighter, "thumbnail"),
    "the site": (lambda t, r: told(t, r, "site", ("A", "B")), "header"),
    "the scanner": (lambda t, r: told(t, r, "model", ("X", "Y")), "header"),
    "the view": (lambda t, r: told(t, r, "view", ("PA", "AP")), "header"),
    "the pixel spacing": (lambda t, r: told(t, r, "spacing_mm", ("0.1×0.1", "0.2×0.2")), "header"),
    "an age that is written down for the ill only": (lambda t, r: told(t, r, "age_years", ("", "60")), "header"),
}


def labels(random: Draw) -> np.ndarray:
    return np.repeat(random.permutation(np.arange(N // 2) % 2), 2)


def test_planted_shortcuts_are_found(tally: Tally) -> None:
    """Each is tied to the label in nine of ten patients, and the right probe must see it."""
    found = []
    for number, (name, (plant, probe)) in enumerate(PLANTED.items()):
        random = np.random.default_rng(100 + number)
        targets = labels(random)
        rows, pictures = plant(targets, random)
        if probe in alarms(find_shortcuts(probed(rows, targets, pictures), seed=number)):
            found.append(name)
    tally("planted shortcuts found", len(found), len(PLANTED))


def test_clean_cohorts_raise_no_alarm(tally: Tally) -> None:
    """A warning that comes without reason will not be read when it has one."""
    n_clean = 0
    for number in range(10):
        random = np.random.default_rng(200 + number)
        targets = labels(random)
        rows, pictures = plain(targets, random)
        n_clean += not alarms(find_shortcuts(probed(rows, targets, pictures), seed=number))
    tally("clean cohorts without an alarm of a shortcut", n_clean, 10)
