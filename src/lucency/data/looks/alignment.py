"""Lay one small picture over another and say how well they agree once small shifts, crops and turns are undone.

Many pairs are aligned at once, first at half size, by the inverse compositional algorithm of Lucas and Kanade with an
affine transform (Baker & Matthews, Int J Comput Vis 2004).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Pictures = NDArray[np.float32]
"""Axes (picture, row, column), all square and of one size."""
Transforms = NDArray[np.float32]
"""Axes (pair, 2, 3): row and column in the moving picture of a place in the still one, both from the centre in pixels."""

FINE = 1 / 32
"""Blur, as a share of the side, that removes what counts as fine detail: in a chest radiograph, less than a rib."""
N_STEPS = 6
"""Iterations at each size; copies have settled by then."""
SMALLEST_OVERLAP = 0.6
"""Pairs that cover less of each other agree in nothing."""
HOPELESS = 0.6
"""Pairs that agree less than this after they were aligned at half size are not aligned any better."""


def agreement(still: Pictures, moving: Pictures) -> NDArray[np.float32]:
    """Return the correlation of the fine details of each pair after it was aligned, axes (pair).

    The pictures should be free of slow changes of brightness, and their side even.
    """
    unmoved = np.zeros((len(still), 2, 3), np.float32)
    unmoved[:, [0, 1], [0, 1]] = 1
    transforms = _align(_halved(still), _halved(moving), unmoved)
    transforms[..., 2] *= 2  # shifts count pixels
    found = _correlation(still, moving, transforms)
    likely = np.flatnonzero(found >= HOPELESS)
    still, moving = still[likely], moving[likely]
    found[likely] = _correlation(still, moving, _align(still, moving, transforms[likely]))
    return found


def blurred(pictures: Pictures, sigma: float) -> Pictures:
    """Blur pictures with a Gaussian; as a product of matrices, which is fast for many small pictures."""
    kernel = gaussian_filter1d(np.eye(pictures.shape[1], dtype=np.float32), sigma, axis=0)
    return kernel @ pictures @ kernel.T


def _halved(pictures: Pictures) -> Pictures:
    n_pictures, side = pictures.shape[:2]
    return pictures.reshape(n_pictures, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def _align(still: Pictures, moving: Pictures, transforms: Transforms) -> Transforms:
    """Improve the transforms, on slightly blurred pictures."""
    still, moving = blurred(still, 1.0), blurred(moving, 1.0)
    slopes = _slopes(still)
    curvature = np.einsum("npi,npj->nij", slopes, slopes)
    # a little more on the diagonal, so that a picture without detail in one direction does not fly away
    curvature[:, range(6), range(6)] = 1.001 * curvature[:, range(6), range(6)] + 1e-3
    solve = np.linalg.inv(curvature) @ slopes.transpose(0, 2, 1)
    for _ in range(N_STEPS):
        laid, is_inside = _sample(moving, transforms)
        difference = ((laid - still) * is_inside).reshape(*slopes.shape[:2], 1)
        transforms = _composed(transforms, (solve @ difference).reshape(-1, 2, 3))
    return transforms


def _slopes(pictures: Pictures) -> NDArray[np.float32]:
    """Return how each pixel changes with the six numbers of a transform, axes (picture, pixel, number)."""
    down, right = np.gradient(pictures, axis=(1, 2))
    y, x = _places(pictures.shape[1])
    by_row = [down * y, down * x, down]
    by_column = [right * y, right * x, right]
    return np.stack(by_row + by_column, axis=-1).reshape(len(pictures), pictures.shape[1] ** 2, 6)


def _places(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the row and the column of each pixel, counted from the centre."""
    along = np.arange(side, dtype=np.float32) - (side - 1) / 2
    return along[:, None], along[None, :]


def _composed(transforms: Transforms, change: NDArray[np.float32]) -> Transforms:
    """Put the inverse of a small change before each transform, within what can still be called a small crop or turn."""
    small = np.eye(2, dtype=np.float32) + np.clip(change[..., :2], -0.2, 0.2)
    matrix = transforms[..., :2] @ np.linalg.inv(small)
    shift = transforms[..., 2:] - matrix @ change[..., 2:]
    identity = np.eye(2, dtype=np.float32)
    matrix = identity + np.clip(matrix - identity, -0.3, 0.3)
    return np.concatenate([matrix, np.clip(shift, -8, 8)], axis=-1).astype(np.float32)


def _sample(pictures: Pictures, transforms: Transforms) -> tuple[Pictures, NDArray[np.bool_]]:
    """Look up each picture at the transformed places (linear interpolation), and tell which lie inside."""
    n_pictures, side = pictures.shape[:2]
    y, x = _places(side)
    centre = (side - 1) / 2
    matrix = transforms[:, :, :, None, None]
    rows = matrix[:, 0, 0] * y + matrix[:, 0, 1] * x + matrix[:, 0, 2] + centre
    columns = matrix[:, 1, 0] * y + matrix[:, 1, 1] * x + matrix[:, 1, 2] + centre
    is_inside = (rows >= 0) & (rows <= side - 1) & (columns >= 0) & (columns <= side - 1)
    row = np.clip(rows, 0, side - 1.001).astype(np.int32)
    column = np.clip(columns, 0, side - 1.001).astype(np.int32)
    down = np.clip(rows - row, 0, 1).astype(np.float32)
    right = np.clip(columns - column, 0, 1).astype(np.float32)
    flat = pictures.reshape(-1)
    at = row * side + column + (np.arange(n_pictures, dtype=np.int64) * side * side)[:, None, None]
    above = flat[at] + (flat[at + 1] - flat[at]) * right
    below = flat[at + side] + (flat[at + side + 1] - flat[at + side]) * right
    return above + (below - above) * down, is_inside


def _correlation(still: Pictures, moving: Pictures, transforms: Transforms) -> NDArray[np.float32]:
    """Return the correlation of what a blur removes, where both pictures are seen; 0 without overlap or contrast.

    Fine details, because all radiographs of one part of the body agree in what is coarse.
    """
    laid, where = _sample(moving, transforms)
    n_seen = np.maximum(where.sum(axis=(1, 2), keepdims=True), 1)
    blur = FINE * still.shape[1]
    a, b = still - blurred(still, blur), laid - blurred(laid, blur)
    a = (a - (a * where).sum(axis=(1, 2), keepdims=True) / n_seen) * where
    b = (b - (b * where).sum(axis=(1, 2), keepdims=True) / n_seen) * where
    product = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)))
    is_judged = (product > 1e-6) & (where.mean(axis=(1, 2)) >= SMALLEST_OVERLAP)
    return np.divide((a * b).sum(axis=(1, 2)), product, out=np.zeros_like(product), where=is_judged)
