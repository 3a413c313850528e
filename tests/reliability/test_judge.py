"""The judge of the bad inputs finds what it is there to find."""

from dataclasses import replace

import numpy as np
import pytest
from bad_inputs.case import Expected, Found, first_fault
from bad_inputs.cases import CASES
from bad_inputs.phantom import AXIAL, Truth, hounsfield

HU = hounsfield()
DUE = [Expected(("a", "b"), Truth(HU, AXIAL.affine)), Expected(("c",), codes=frozenset({"E_TRUNCATED"}))]
VOLUME = Found(("a", "b"), HU, AXIAL.affine, unit="HU")
REFUSAL = Found(("c",), None, None, "E_TRUNCATED")


def shifted(mm: float) -> np.ndarray:
    affine = AXIAL.affine
    affine[2, 3] += mm
    return affine


def flipped() -> Found:
    affine = AXIAL.affine
    affine[:3, 3] += affine[:3, 1] * (HU.shape[1] - 1)
    affine[:3, 1] *= -1
    return replace(VOLUME, values=HU[:, ::-1], affine=affine)


def turned() -> Found:
    return replace(VOLUME, values=HU.transpose(2, 1, 0), affine=AXIAL.affine[:, [2, 1, 0, 3]])


@pytest.mark.parametrize("volume", [VOLUME, flipped(), turned(), replace(VOLUME, values=HU + 0.4)])
def test_the_same_patient_is_right_in_any_orientation(volume: Found):
    """What counts is the value at each place."""
    assert not first_fault(DUE, [volume, REFUSAL])


@pytest.mark.parametrize(
    "volume",
    [
        replace(VOLUME, values=HU[::-1]),
        replace(VOLUME, values=HU + 0.6),
        replace(VOLUME, values=np.where(np.arange(HU.size).reshape(HU.shape) == 1000, np.nan, HU)),
        replace(VOLUME, affine=shifted(0.002)),
        replace(VOLUME, affine=shifted(2.5)),
        replace(VOLUME, affine=None),
        replace(VOLUME, values=HU[:-1]),
        replace(VOLUME, unit=""),
        replace(VOLUME, files=("c",)),
    ],
)
def test_a_wrong_volume_is_a_silent_fault(volume: Found):
    """A mirrored, shifted, rescaled, shortened or misplaced patient."""
    assert first_fault(DUE, [volume, REFUSAL]).startswith("silent")


def test_what_is_missing_or_too_much_is_a_fault():
    """Every file has an outcome, every volume a reason to be there, every refusal the right code."""
    assert first_fault(DUE, [VOLUME]) == "a file without an outcome"
    assert first_fault(DUE, [REFUSAL]) == "a file without an outcome"
    assert first_fault(DUE, [VOLUME, VOLUME, REFUSAL]).startswith("silent")
    assert first_fault(DUE, [VOLUME, replace(REFUSAL, code="E_CODEC")]).startswith("refused with")
    assert first_fault(DUE, [replace(VOLUME, files=("a", "b", "c"))]).startswith("silent")
    noted = [replace(DUE[0], notes=frozenset({"N_TILT"})), DUE[1]]
    assert first_fault(noted, [VOLUME, REFUSAL]).startswith("silent")
    assert not first_fault(noted, [replace(VOLUME, notes=("N_TILT",)), REFUSAL])


def test_there_are_120_cases_with_names_and_reasons():
    """The denominator of the promise."""
    assert len({case.name for case in CASES}) == len(CASES) == 120
    assert all(case.wrong.endswith(".") for case in CASES)
