"""Anchors: the boxes from which a detection network begins to look, fitted to the lesions of the training part."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

N_LEVELS = 5
"""Levels of the feature pyramid, from fine to coarse; their places lie 4, 8, 16, 32 and 64 pixels apart."""
N_RATIOS = 3
ENOUGH_OVERLAP = 0.5
"""Intersection over union from which on an anchor can well be moved onto a lesion."""
_SMALLEST_PIXELS = 4.0
_OUTERMOST = 0.05
"""The smallest and the largest anchor are the 5th and 95th percentile of the lesions, so that no outlier sets them."""


@dataclass(frozen=True)
class Anchors:
    """Sizes and shapes of the anchors; each level has its sizes in all shapes, at each of its places."""

    sizes: tuple[tuple[float, ...], ...]
    """Square root of the area in pixels, axes (level, size)."""
    ratios: tuple[float, ...]
    """Height over width."""

    @property
    def n_per_place(self) -> int:
        """Anchors at one place of one level."""
        return len(self.sizes[0]) * len(self.ratios)

    def generator(self) -> AnchorGenerator:
        """Return torchvision's generator of these anchors."""
        return AnchorGenerator(self.sizes, (self.ratios,) * len(self.sizes))


def anchors_for(boxes: NDArray[np.float64], n_sizes: int) -> Anchors:
    """Fit anchors to boxes, axes (lesion, (left, top, right, bottom)): sizes and shapes are evenly spread percentiles."""
    sides = boxes[:, 2:] - boxes[:, :2]
    sizes = np.quantile(np.sqrt(sides.prod(axis=1)), np.linspace(_OUTERMOST, 1 - _OUTERMOST, N_LEVELS * n_sizes))
    sizes = np.round(np.maximum(sizes, _SMALLEST_PIXELS), 1).reshape(N_LEVELS, n_sizes)
    ratios = np.quantile(sides[:, 1] / sides[:, 0], np.linspace(0.1, 0.9, N_RATIOS))
    return Anchors(tuple(tuple(of_level) for of_level in sizes.tolist()), tuple(np.round(ratios, 2).tolist()))


def best_overlaps(anchors: Anchors, boxes: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the intersection over union of each box with the anchor that fits it best, on images of `shape`, axis (lesion)."""
    padded = [-(-side // 32) * 32 for side in shape]
    levels = [torch.empty(1, 1, *(-(-side // 2 ** (2 + level)) for side in padded)) for level in range(N_LEVELS)]
    images = ImageList(torch.empty(1, 1, *padded), [shape])
    everywhere = anchors.generator()(images, levels)[0]
    return box_iou(torch.from_numpy(boxes).float(), everywhere).amax(dim=1).double().numpy()
