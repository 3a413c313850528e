"""A case: what is wrong with a folder, and what must come out of it; and the judge."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.config import disable_value_validation

from .phantom import AXIAL, SHAPE, Person, Ramp, Truth, ct_series, hounsfield, save


@dataclass(frozen=True)
class Expected:
    """What must come out of some files: a right volume, or a refusal for a right reason, or either."""

    files: tuple[str, ...]
    """Paths relative to the folder."""
    truth: Truth | Ramp | None = None
    """The right volume; None where no volume may come out."""
    notes: frozenset[str] = frozenset()
    """The volume must carry one of these notes, unless none is named."""
    codes: frozenset[str] = frozenset()
    """Refusals that are right; where none is named, the volume must come out."""
    set_aside: frozenset[str] = frozenset()
    """Notes on another volume which say that these files were left out of it; as good as a refusal."""
    is_optional: bool = False
    """True for what is obviously no image, and may be passed over without a word."""
    other_truth: Truth | None = None
    """Another volume that would be as right."""


@dataclass(frozen=True)
class Case:
    """One folder with something wrong in it."""

    group: str
    name: str
    wrong: str
    """What is wrong, in one sentence."""
    write: Callable[[Path, Person], list[Expected]]
    """Writes the files into a folder, and tells what must come out."""

    @property
    def person(self) -> Person:
        """The invented patient of this case."""
        return Person(self.name)


def case(group: str, write: Callable[[Path, Person], list[Expected]]) -> Case:
    """Make a case of a function: its name is the case's, its docstring says what is wrong."""
    return Case(group, write.__name__, inspect.getdoc(write) or "", write)


def write_alone(bad: Case, folder: Path) -> list[Expected]:
    """Write a case, faults and all."""
    with disable_value_validation():
        return bad.write(folder, bad.person)


def write_with_neighbour(bad: Case, folder: Path) -> list[Expected]:
    """Write a case, and beside it a healthy series that must come out right whatever happens to the case."""
    expected = write_alone(bad, folder)
    values = hounsfield(99, (3, *SHAPE[1:]))
    names = save(folder, ct_series(bad.person, values, series=9900), "healthy")
    return [*expected, Expected(tuple(names), Truth(values, AXIAL.affine))]


@dataclass(frozen=True)
class Found:
    """What a reader made of some files."""

    files: tuple[str, ...] | None
    """Paths relative to the folder; None where the reader does not tell."""
    values: NDArray[Any] | None
    """None where the files were refused."""
    affine: NDArray[np.float64] | None
    code: str = ""
    notes: tuple[str, ...] = ()
    unit: str | None = None
    """None where the reader does not tell."""


def first_fault(expected: Sequence[Expected], found: Sequence[Found]) -> str:
    """Say what is wrong with what lucency made of a case, beginning with "silent" where it may deceive; else empty."""
    due = list(expected)
    notes = {note for one in found for note in one.notes}
    for one in found:
        if one.values is None:
            continue
        reasons = [(each, _disagreement(each, one)) for each in due]
        match = next((each for each, reason in reasons if not reason), None)
        if match is None:
            told = "; ".join(sorted({reason for _, reason in reasons})) or "one volume too many"
            return f"silent: a wrong volume of shape {one.values.shape} ({told})"
        if match.notes and not match.notes & set(one.notes):
            return f"silent: repaired without any of the notes {sorted(match.notes)}, has {sorted(one.notes)}"
        due.remove(match)
    for each in due:
        for file in each.files:
            codes = {one.code for one in found if one.files and file in one.files and one.values is None}
            if not codes and (each.is_optional or each.set_aside & notes):
                continue
            if not codes:
                is_used = any(one.files and file in one.files for one in found)
                return "silent: a file in a volume where it has no place" if is_used else "a file without an outcome"
            if not codes <= each.codes and not each.is_optional:
                return f"refused with {sorted(codes)} instead of {sorted(each.codes) or 'a volume'}"
    return ""


def first_fault_of_peer(expected: Sequence[Expected], found: Sequence[Found], failed: bool) -> str:
    """Judge a reader without codes, notes and single images: volumes must be right, and an error is a refusal.

    A note is demanded only where refusing would be right too: there the user must be told.
    """
    due = list(expected)
    for one in found:
        match = next((each for each in due if not _disagreement(each, one, is_peer=True)), None)
        if match is None or (match.notes and match.codes):
            return "silent"
        due.remove(match)
    is_missing = any(not each.codes and not each.is_optional for each in due)
    return "error" if is_missing or (failed and not due) else ""


def _disagreement(expected: Expected, found: Found, is_peer: bool = False) -> str:
    if expected.truth is None:
        return "no volume may come out of these files"
    if found.files is not None and not set(found.files) & set(expected.files):
        return "made of other files"
    assert found.values is not None
    if isinstance(expected.truth, Ramp):
        return _disagreement_of_ramp(expected.truth, found.values, found.affine)
    if found.unit is not None and found.unit != expected.truth.unit:
        return f"unit is {found.unit!r} instead of {expected.truth.unit!r}"
    has_place = expected.truth.affine is not None or not is_peer  # peers give every picture a place
    told = disagreement(expected.truth, found.values, found.affine if has_place else None)
    if told and expected.other_truth is not None:
        return _disagreement(replace(expected, truth=expected.other_truth, other_truth=None), found, is_peer)
    return told


def disagreement(truth: Truth, values: NDArray[Any], affine: NDArray[np.float64] | None) -> str:
    """Compare the value at each place in the patient, so that no flip or order of axes matters."""
    if values.size != truth.values.size:
        return f"{values.shape} instead of {truth.values.shape}"
    if truth.affine is None:
        if affine is not None:
            return "invented geometry"
        return _difference(values, truth.values, truth.tolerance) if values.shape == truth.values.shape else "shape"
    if affine is None:
        return "geometry lost"
    indices = np.stack(np.meshgrid(*map(np.arange, values.shape[:3]), indexing="ij"), axis=-1).reshape(-1, 3)
    places = indices @ affine[:3, :3].T + affine[:3, 3]
    there = (places - truth.affine[:3, 3]) @ np.linalg.inv(truth.affine[:3, :3]).T
    nearest = np.rint(there).astype(int)
    off_mm = np.abs((there - nearest) @ truth.affine[:3, :3].T).max()
    if off_mm > 1e-3 or (nearest < 0).any() or (nearest >= truth.values.shape[:3]).any():
        return "in another place"
    if len(np.unique(nearest, axis=0)) != len(nearest):
        return "two values in one place"
    return _difference(values.reshape(len(indices), -1), truth.values[tuple(nearest.T)], truth.tolerance)


def _difference(values: NDArray[Any], truth: NDArray[Any], tolerance: float) -> str:
    off = np.abs(np.asarray(values, np.float64).ravel() - np.asarray(truth, np.float64).ravel())
    is_wrong = ~(off <= tolerance) & ~np.isnan(np.asarray(truth, np.float64).ravel())
    return f"{is_wrong.mean():.0%} of the values wrong" if is_wrong.any() else ""


def _disagreement_of_ramp(ramp: Ramp, values: NDArray[Any], affine: NDArray[np.float64] | None) -> str:
    """Compare a resampled volume with the linear function wherever the patient was imaged."""
    if affine is None:
        return "geometry lost"
    indices = np.stack(np.meshgrid(*map(np.arange, values.shape[:3]), indexing="ij"), axis=-1)
    places = indices @ affine[:3, :3].T + affine[:3, 3]
    there = (places - ramp.grid.affine[:3, 3]) @ np.linalg.inv(ramp.grid.affine[:3, :3]).T
    low, high = (ramp.slices[0], 0, 0), (ramp.slices[-1], SHAPE[1] - 1, SHAPE[2] - 1)
    is_imaged = ((there >= np.subtract(low, 1e-6)) & (there <= np.add(high, 1e-6))).all(axis=-1)
    volume_mm3 = is_imaged.sum() * abs(np.linalg.det(affine[:3, :3]))
    due_mm3 = np.prod(np.subtract(high, low)) * abs(np.linalg.det(ramp.grid.affine[:3, :3]))
    if volume_mm3 < 0.8 * due_mm3:
        return "a part of the patient lost"
    off = np.abs(values - ramp.at(places))[is_imaged]
    return f"{(off > 1).mean():.0%} of the values wrong" if (off > 1).any() else ""
