"""Pictures, masks and boxes on the plan's grid, and back."""

import numpy as np
import pytest

from lucency.data.geometry.placement import place
from lucency.domain.data_plan import Image

SHAPES = [(100, 60), (37, 90), (64, 64), (33, 31), (500, 401)]
GRID = (64, 48)


def lesion(shape: tuple[int, int]) -> np.ndarray:
    """Return a map with a rectangle in the middle of the image, where no fit cuts it off."""
    labels = np.zeros(shape, np.uint8)
    rows, columns = shape
    labels[rows // 3 : rows // 2 + 2, 2 * columns // 5 : 3 * columns // 5 + 1] = 3
    return labels


def box_around(labels: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(labels)
    return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("aspect", [1.0, 1.6])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_mask_and_its_box_stay_together(shape: tuple[int, int], aspect: float, fit: str) -> None:
    """The box around the mask on the grid is the box on the grid, to half a pixel: nothing drifts with the size."""
    placement = place(shape, Image(size=GRID, fit=fit), aspect)
    labels = lesion(shape)
    moved = placement.boxes(box_around(labels))
    assert np.abs(box_around(placement.labels(labels)) - moved).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_goes_to_the_grid_comes_back(shape: tuple[int, int], fit: str) -> None:
    """Boxes exactly; masks to half a pixel of the coarser of the two grids."""
    placement = place(shape, Image(size=GRID, fit=fit))
    labels = lesion(shape)
    box = box_around(labels)
    assert placement.boxes_back(placement.boxes(box)) == pytest.approx(box)
    back = placement.probabilities_back((placement.labels(labels) == 3).astype(np.float32)) >= 0.5
    coarser = max(1.0, *(o / r for o, r in zip(placement.original, placement.resized, strict=True)))
    assert np.abs(box_around(back) - box).max() <= coarser / 2 + 0.5


def test_the_picture_and_the_mask_move_alike() -> None:
    """A white square with its mask: the grid's mask lies where the grid's picture is white."""
    labels = lesion((200, 150))
    placement = place((200, 150), Image(size=GRID))
    picture = placement.picture(labels * np.uint8(85))
    inside = placement.labels(labels) == 3
    assert picture[inside].min() > 255 * 0.45
    assert picture[~inside].max() < 255 * 0.55


def test_nothing_is_said_of_what_was_cut_off() -> None:
    """`crop` cuts the long sides; a network that is sure of everything says nothing of them."""
    placement = place((100, 40), Image(size=32, fit="crop"))
    back = placement.probabilities_back(np.ones((2, 32, 32), np.float32))
    assert back.shape == (2, 100, 40)
    assert (back[:, 0] == 0).all()
    assert back[:, 50] == pytest.approx(1)


def test_every_label_that_fills_a_pixel_is_kept() -> None:
    """Three structures side by side, each a label of its own, without labels in between."""
    labels = np.repeat(np.array([[0, 7, 2, 9]], np.uint8), 32, axis=0).repeat(16, axis=1)
    small = place(labels.shape, Image(size=(16, 32))).labels(labels)
    assert set(np.unique(small)) == {0, 2, 7, 9}
    assert (small == np.repeat(np.array([[0, 7, 2, 9]]), 16, axis=0).repeat(8, axis=1)).all()
