"""How far a measurement on a new image may be off, by how far those of the tuning part were off."""

import math

import numpy as np
from numpy.typing import NDArray


def reach_of_errors(errors: NDArray[np.float64], patients: NDArray, level: float) -> float | None:
    """Return half the width of a prediction interval that holds a new patient's number in `level` of cases.

    Split conformal prediction (Lei 2018), with nothing assumed about how errors are spread: the interval reaches as far as
    the k-th smallest absolute error, k = ⌈(n + 1) · level⌉ of n patients. A patient with several images counts with the largest
    error, which can only widen it. None where there are too few patients to promise so much.
    """
    codes = np.unique(patients, return_inverse=True)[1]
    largest = np.zeros(int(codes.max()) + 1 if codes.size else 0)
    np.maximum.at(largest, codes, np.abs(errors))
    # the least excess of a product over a whole number is rounding: 0.95 · 20 is 19
    k = math.ceil((len(largest) + 1) * level - 1e-9)
    return float(np.sort(largest)[k - 1]) if k <= len(largest) else None
