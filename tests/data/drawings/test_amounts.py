"""How much was drawn: areas, volumes, diameters and counts, against shapes whose size is known."""

import numpy as np
import pytest

from lucency.data.ground_truth.drawings.amounts import amount_drawn
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.reading import RefusedImage
from lucency.domain.masks import Box, Mask

PICTURE, VOLUME = (1, 20, 30), (6, 20, 30)
FLAT, DEEP = (0.0, 0.5, 0.25), (2.0, 0.5, 0.25)


def block(shape, rows, columns, slices=slice(None), name="lesion") -> Mask:
    voxels = np.zeros(shape, bool)
    voxels[slices, rows, columns] = True
    return Mask(name, voxels)


TWO = Marks((block(PICTURE, slice(2, 6), slice(3, 13)), block(PICTURE, slice(4, 8), slice(3, 13), name="cyst")))


@pytest.mark.parametrize(
    ("marks", "measure", "shape", "spacing", "expected"),
    [
        (TWO, "area_pixels", PICTURE, None, 60),
        (TWO, "area_mm2", PICTURE, FLAT, 60 * 0.125),
        (TWO, "count", PICTURE, None, 2),
        (Marks((block(VOLUME, slice(0, 4), slice(0, 5), slice(1, 3)),)), "volume_ml", VOLUME, DEEP, 40 * 0.25 / 1000),
        (Marks((block(PICTURE, 4, slice(0, 11)),)), "longest_mm", PICTURE, (0.0, 0.25, 0.25), 11 * 0.25),
        (Marks((), (Box("lesion", 2, 3, 5, 4),)), "area_pixels", PICTURE, None, 20),
        *((Marks(), measure, PICTURE, FLAT, 0) for measure in ("area_pixels", "area_mm2", "longest_mm", "count")),
        (Marks((Mask("lesion", np.zeros(PICTURE, bool)),)), "count", PICTURE, None, 0),
    ],
)
def test_the_amount_is_that_of_the_shape(marks, measure, shape, spacing, expected):
    """What two structures share counts once; nothing drawn is 0."""
    assert amount_drawn(marks, measure, shape, spacing) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("measure", "shape", "spacing", "code"),
    [
        ("area_mm2", PICTURE, None, "E_NO_SPACING"),
        ("longest_mm", PICTURE, None, "E_NO_SPACING"),
        ("volume_ml", VOLUME, None, "E_NO_SPACING"),
        ("volume_ml", VOLUME, FLAT, "E_NO_SPACING"),
        ("volume_ml", PICTURE, FLAT, "E_NOT_A_VOLUME"),
        ("area_pixels", VOLUME, DEEP, "E_NOT_A_VOLUME"),
    ],
)
def test_what_cannot_be_measured_has_a_code(measure, shape, spacing, code):
    """A volume without distances between slices would be 0, silently."""
    with pytest.raises(RefusedImage, match=code):
        amount_drawn(Marks((block(shape, slice(0, 4), slice(0, 5)),)), measure, shape, spacing)
