"""How far a new image lies from those that networks learnt from, and from where on that is worth a warning."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_NEIGHBOURS = 5
QUANTILE = 0.99
"""Of 100 images of the tuning part, whose patients did not train the networks, one lies beyond the limit."""
MOST_DIRECTIONS, IMAGES_A_DIRECTION = 256, 4
SMALLEST_SHARE = 1e-6
"""Of the mean variance: what varies less counts as varying so much, so that nothing is divided by nothing."""


def curve_distances(curves: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each curve of brightness to the fifth nearest known one, axes (image, level) both.

    The mean absolute difference of two cumulative shares is the share of the grey scale by which brightness has to be moved
    to make one from the other (Wasserstein distance of order 1), 0 to 1.
    """
    k = min(N_NEIGHBOURS, len(known)) - 1
    return np.array([np.partition(np.abs(known - curve).mean(axis=1), k)[k] for curve in curves])


def neighbour_distances(looks: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the distance of each look to the fifth nearest known one, all brought to length 1 (Sun 2022).

    Axes (image, feature); distances from 0 (alike) to 2. Nothing is assumed about how looks are spread.
    """
    k = min(N_NEIGHBOURS, len(known))
    closeness = _of_length_one(looks) @ _of_length_one(known).T
    kth = np.partition(closeness, -k, axis=1)[:, -k]
    return np.sqrt(np.maximum(2 - 2 * kth.astype(np.float64), 0))


@dataclass(frozen=True)
class Spread:
    """Where features lie and how they vary together: a normal distribution with few directions (Tipping and Bishop 1999)."""

    mean: NDArray[np.float32]
    """Axis (feature)."""
    directions: NDArray[np.float32]
    """Those in which the features vary most, of length 1, axes (direction, feature)."""
    variances: NDArray[np.float32]
    """Along each direction."""
    rest: float
    """Variance along every other direction."""

    def distances(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the Mahalanobis distance (Lee 2018), per feature so that networks of any width compare; about 1 is usual."""
        away = features.astype(np.float64) - self.mean
        along = away @ self.directions.T.astype(np.float64)
        squares = (along**2 / self.variances).sum(axis=1)
        left = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        if len(self.directions) < len(self.mean):
            squares = squares + left / self.rest
        return np.sqrt(squares / len(self.mean))


def spread_of(features: NDArray[np.float32]) -> Spread:
    """Measure how the features of the training part are spread, axes (image, feature)."""
    n_images, n_features = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    _, lengths, directions = np.linalg.svd(features - mean, full_matrices=False)
    variances = lengths**2 / max(n_images - 1, 1)
    # a direction is known by some images only; with as many directions as images, nothing would be left for the rest
    n_kept = min(MOST_DIRECTIONS, n_features, max(n_images // IMAGES_A_DIRECTION, 1))
    least = max(SMALLEST_SHARE * variances.sum() / n_features, np.finfo(np.float32).tiny)
    n_others = n_features - n_kept
    rest = max(float(variances[n_kept:].sum()) / n_others, least) if n_others else least
    kept = np.maximum(variances[:n_kept], least)
    return Spread(mean.astype(np.float32), directions[:n_kept].astype(np.float32), kept.astype(np.float32), float(rest))


def limit(distances: NDArray[np.float64]) -> float:
    """Return the distance that all but one in a hundred images of the tuning part stay within."""
    return float(np.quantile(distances, QUANTILE))


def _of_length_one(looks: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(looks, axis=1, keepdims=True)
    return looks / np.maximum(lengths, np.finfo(np.float32).tiny)
