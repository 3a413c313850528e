"""Probabilities that mean what they say: a correction learnt on the tuning part, after training and apart from it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit, softmax

from lucency.domain.predictions import Predictions

_CERTAIN = 1e-6  # a probability of exactly 0 or 1 has no logit
_LONGEST, _SHORTEST = np.log(20.0), np.log(0.05)


@dataclass(frozen=True)
class Correction:
    """What turns what the networks say into a calibrated probability; it never changes the order of images."""

    method: str
    """In words, with the source."""
    slope: float = 1.0
    intercept: float = 0.0
    """Of the logit; 0 for several classes."""
    n: int = 0
    """Images of the tuning part that it was learnt from."""

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, axes (image, class); rows sum to 1."""
        if probabilities.shape[1] == 2:
            return np.column_stack([1 - (p := self.of_positive(probabilities[:, 1])), p])
        return softmax(self.slope * np.log(np.clip(probabilities, _CERTAIN, 1)), axis=1)

    def of_positive(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the calibrated probability of the positive of two classes."""
        if (self.slope, self.intercept) == (1, 0):
            return np.asarray(probability)
        return expit(self.slope * logit(np.clip(probability, _CERTAIN, 1 - _CERTAIN)) + self.intercept)


NONE = Correction("none")


def learn_correction(tuning: Predictions) -> Correction:
    """Learn the correction from the tuning part: a straight line on the logit for two classes, a temperature for more."""
    return _platt(tuning) if len(tuning.classes) == 2 else _temperature(tuning)


def _platt(tuning: Predictions) -> Correction:
    """Fit slope and intercept of the logit (Platt 1999), with the targets drawn in a little so that a fit always exists."""
    positive = tuning.targets == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return replace(NONE, method="none: the tuning part holds one class only", n=len(tuning))
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    linear = logit(np.clip(tuning.probabilities[:, 1], _CERTAIN, 1 - _CERTAIN))

    def cost(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = parameters[0] * linear + parameters[1]
        error = expit(z) - targets
        return float((np.logaddexp(0, z) - targets * z).sum()), np.array([error @ linear, error.sum()])

    slope, intercept = minimize(cost, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    if not slope > 0:
        return replace(NONE, method="none: the tuning part is not told apart", n=len(tuning))
    return Correction("logistic regression on the logit (Platt 1999)", float(slope), float(intercept), len(tuning))


def _temperature(tuning: Predictions) -> Correction:
    """Fit one temperature for all classes (Guo 2017)."""
    logits = np.log(np.clip(tuning.probabilities, _CERTAIN, 1))
    each = np.arange(len(tuning))

    def cost(log_temperature: float) -> float:
        return -float(np.log(softmax(logits / np.exp(log_temperature), axis=1)[each, tuning.targets]).sum())

    found = minimize_scalar(cost, bounds=(_SHORTEST, _LONGEST), method="bounded").x
    return Correction("one temperature for all classes (Guo 2017)", float(np.exp(-found)), 0.0, len(tuning))
