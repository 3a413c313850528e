"""Lesions stay where they are: on the grid of the plan and back, and when images are changed at random."""

import numpy as np
import torch

from lucency.data.augmentation import Batch, make_augmenter
from lucency.data.geometry.placement import place
from lucency.data.ground_truth.drawings.lesions import lesions_on_grid
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.domain.data_plan import Image
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, Mask
from lucency.domain.plan import Augmentation
from lucency.training.drawn_images import boxes_around

HALF_A_PIXEL = 0.5 + 1e-4


def random_rectangle(random, shape):
    """Draw (left, top, right, bottom) inside of an image of (rows, columns)."""
    width, height = (int(random.integers(8, side // 2)) for side in shape[::-1])
    left, top = int(random.integers(0, shape[1] - width)), int(random.integers(0, shape[0] - height))
    return left, top, left + width, top + height


def test_lesions_come_to_the_grid_and_back(tally):
    """Masks land where their box does, and boxes come back to where they were drawn."""
    random = np.random.default_rng(1)
    n_landed = n_back = 0
    for number in range(300):
        shape = tuple(int(side) for side in random.integers(48, 200, 2))
        image = Image(size=tuple(int(side) for side in random.integers(64, 160, 2)), fit=("pad", "stretch")[number % 2])
        placement, edges = place(shape, image), random_rectangle(random, shape)
        left, top, right, bottom = edges
        voxels = np.zeros((1, *shape), bool)
        voxels[0, top:bottom, left:right] = True
        marks = Marks((Mask("mass", voxels),), (Box("mass", left, top, right - left, bottom - top),))
        of_mask, of_box = lesions_on_grid(marks, placement, Drawings(path="masks")).lesions
        n_landed += bool(np.abs(np.array(of_mask.edges) - np.array(of_box.edges)).max() <= HALF_A_PIXEL)
        back = placement.boxes_back(np.array([of_box.edges]))[0]
        n_back += bool(np.abs(back - edges).max() <= HALF_A_PIXEL)
    tally("lesion masks that land within half a pixel of their box", n_landed, 300)
    tally("lesion boxes that come back within half a pixel", n_back, 300)


def test_lesions_move_with_their_images(tally):
    """The image itself is the witness: a bright ellipse, its mask and its box go through the same draw."""
    random = np.random.default_rng(2)
    rows, columns = np.indices((64, 64)) + 0.5
    ellipses = []
    for _ in range(100):
        left, top, right, bottom = random_rectangle(random, (64, 64))
        x, y = (2 * columns - left - right) / (right - left), (2 * rows - top - bottom) / (bottom - top)
        ellipses.append(x**2 + y**2 <= 1)
    masks = torch.from_numpy(np.array(ellipses)).to(torch.uint8)[:, None]
    boxes, _ = boxes_around(masks)
    turns = {"flip_horizontal": 0.5, "flip_vertical": 0.5, "rotate_degrees": 30, "shift": 0.2}
    # nothing is magnified, so that half a pixel before is no more than half a pixel after
    moves = Augmentation(**turns, zoom=(0.8, 1), contrast=(1, 1), brightness=0)
    augment = make_augmenter(moves, 3)
    n_together = n_framed = n_all = 0
    for epoch in range(6):
        moved = augment(Batch(masks.float(), masks, boxes), np.arange(100, dtype=np.uint64), epoch)
        around, _ = boxes_around(moved.masks)
        for number in torch.nonzero(moved.box_is_visible[:, 0]).flatten().tolist():
            image, mask = moved.images[number, 0].double().clamp(0, 1), moved.masks[number, 0].double()
            n_all += 1
            n_together += bool((middle(image) - middle(mask)).abs().max() <= HALF_A_PIXEL)
            low, high = (
                around[number, 0, :2] - moved.boxes[number, 0, :2],
                moved.boxes[number, 0, 2:] - around[number, 0, 2:],
            )
            n_framed += bool(torch.cat([low, high]).min() >= -HALF_A_PIXEL)
    tally("lesion masks that move with their image within half a pixel", n_together, n_all)
    tally("moved boxes that hold the moved mask within half a pixel", n_framed, n_all)


def middle(weights):
    """Return the centre of mass, (row, column)."""
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return torch.stack([(weights * rows).sum(), (weights * columns).sum()]) / weights.sum()
