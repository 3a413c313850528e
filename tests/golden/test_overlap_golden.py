"""Overlap and distances of surfaces reproduce published numbers and those of DeepMind's surface-distance."""

import numpy as np
import pytest

from evaluation.masks_factory import ball, cross
from lucency.evaluation.overlap.case import Case, measure_case


def test_two_cubes_of_surface_distances_own_tests():
    """Source: google-deepmind/surface-distance, tests at 1f805ce: 100³, 50 against 51 rows, spacing 2, 1, 1 mm."""
    truth, predicted = np.zeros((2, 100, 100, 100), bool)
    truth[:50], predicted[:51] = True, True
    case = measure_case(Case("i", "p", "cube", truth, predicted, (2, 1, 1)), tolerance=1)
    assert (case.hausdorff_95, case.surface_dice, case.dice) == pytest.approx((2.0, 0.836, 0.990), abs=5e-4)
    assert 0.322 < case.average_surface_distance < 0.339, "between the two directed averages printed there"


def test_two_pixels_of_surface_distances_own_tests():
    """Source: as above: two single voxels, two steps of 1 mm apart."""
    truth, predicted = np.zeros((2, 10, 10, 10), bool)
    truth[5, 5, 5], predicted[5, 5, 7] = True, True
    case = measure_case(Case("i", "p", "dot", truth, predicted, (3, 2, 1)), tolerance=1)
    assert case.average_surface_distance == pytest.approx(1.5)
    assert (case.hausdorff, case.hausdorff_95, case.surface_dice, case.dice) == pytest.approx((2.0, 2.0, 0.5, 0.0))


# Dice, Hausdorff distance, HD95, average distance over both surfaces, surface Dice at 1 mm
SURFACE_DISTANCE = {
    "shifted balls, thick slices": (0.75532527, 5.31036722, 3.07408523, 1.01272088, 0.5999022),
    "ball and cross": (0.09782609, 4.24264069, 3.60555128, 1.86831323, 0.31150249),
    "touching the edge": (0.41325536, 5.74369219, 4.64865572, 1.46499606, 0.38014156),
    "two discs": (0.78360656, 3.10483494, 2.68328157, 0.87590974, 0.70309491),
    "disc and cross": (0.30666667, 6.08276253, 5.0, 2.47305682, 0.31030057),
}
PAIRS = {
    "shifted balls, thick slices": (
        ball((20, 30, 30), (9, 14, 15), (6, 9, 8)),
        ball((20, 30, 30), (10, 15, 13), (5, 9, 9)),
        (2.5, 0.8, 0.8),
    ),
    "ball and cross": (ball((16, 16, 16), (8, 8, 8), (5, 5, 5)), cross((16, 16, 16), (8, 7, 8), 6), (1, 1, 1)),
    "touching the edge": (
        ball((12, 12, 12), (0, 6, 6), (5, 5, 5)),
        ball((12, 12, 12), (1, 5, 11), (4, 6, 5)),
        (1.5, 0.7, 1.1),
    ),
    "two discs": (ball((40, 40), (20, 18), (9, 12)), ball((40, 40), (22, 20), (10, 9)), (0.4, 0.6)),
    "disc and cross": (ball((24, 24), (11, 12), (6, 6)), cross((24, 24), (12, 12), 9), (1, 2)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_surfaces_agree_with_surface_distance(name):
    """Source: surface-distance 0.1 run on these masks; the average weighs its two directed averages by their areas."""
    truth, predicted, spacing_mm = PAIRS[name]
    case = measure_case(Case("i", "p", name, truth, predicted, spacing_mm), tolerance=1)
    measured = case.dice, case.hausdorff, case.hausdorff_95, case.average_surface_distance, case.surface_dice
    assert measured == pytest.approx(SURFACE_DISTANCE[name], abs=1e-7)
