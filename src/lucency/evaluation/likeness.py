"""How far a new image lies from those that networks learnt from, and from where on that is worth a warning."""

import numpy as np
from numpy.typing import NDArray

N_NEIGHBOURS = 5
QUANTILE = 0.99
"""Of 100 images of the tuning part, whose patients did not train the networks, one lies beyond the limit."""


def curve_distances(curves: NDArray[np.float64], typical: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each curve of brightness lies from a typical one, axes (image, level) and (level).

    The mean absolute difference of two cumulative shares is the share of the grey scale by which brightness has to be moved
    to make one from the other (Wasserstein distance of order 1), 0 to 1.
    """
    return np.abs(curves - typical).mean(axis=1)


def neighbour_distances(
    features: NDArray[np.float32], known: NDArray[np.float32], n_neighbours: int = N_NEIGHBOURS
) -> NDArray[np.float64]:
    """Return the distance to the k-th nearest of the known images, all features brought to length 1 (Sun 2022).

    Axes (image, feature); distances from 0 (alike) to 2. Nothing is assumed about how the features are spread.
    """
    k = min(n_neighbours, len(known))
    closeness = _of_length_one(features) @ _of_length_one(known).T
    kth = np.partition(closeness, -k, axis=1)[:, -k]
    return np.sqrt(np.maximum(2 - 2 * kth.astype(np.float64), 0))


def limit(distances: NDArray[np.float64]) -> float:
    """Return the distance that all but one in a hundred images of the tuning part stay within."""
    return float(np.quantile(distances, QUANTILE))


def _of_length_one(features: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, np.finfo(np.float32).tiny)
