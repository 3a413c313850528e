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


MONAI_SURFACE_DICE = {
    "shifted balls, thick slices": (0.337321, 0.599902, 0.833847),
    "ball and cross": (0.127528, 0.311503, 0.563717),
    "touching the edge": (0.274649, 0.380142, 0.732742),
    "two discs": (0.37557, 0.703095, 0.918404),
    "disc and cross": (0.203934, 0.310301, 0.510157),
}


@pytest.mark.parametrize("name", PAIRS)
def test_surface_dice_agrees_with_monai(name):
    """Source: compute_surface_dice of MONAI 1.6 with use_subvoxels=True, at tolerances of 0.5, 1 and 2 mm."""
    truth, predicted, spacing_mm = PAIRS[name]
    for tolerance, expected in zip((0.5, 1.0, 2.0), MONAI_SURFACE_DICE[name], strict=True):
        case = measure_case(Case("i", "p", name, truth, predicted, spacing_mm), tolerance)
        assert case.surface_dice == pytest.approx(expected, abs=2e-6)


# Dice, Jaccard, sensitivity, precision, Hausdorff distance, HD95, relative volume difference
MEDPY = {
    "shifted balls, thick slices": (0.755325, 0.606846, 0.737493, 0.774041, 5.310367, 3.371943, -0.047218),
    "ball and cross": (0.097826, 0.051429, 0.052427, 0.72973, 4.242641, 3.605551, -0.928155),
    "touching the edge": (0.413255, 0.260442, 0.355705, 0.493023, 5.743692, 4.617359, -0.278523),
    "two discs": (0.783607, 0.644205, 0.722054, 0.856631, 3.104835, 2.495971, -0.1571),
    "disc and cross": (0.306667, 0.181102, 0.20354, 0.621622, 6.082763, 5.784808, -0.672566),
}


@pytest.mark.parametrize("name", PAIRS)
def test_counts_and_greatest_distances_agree_with_medpy(name):
    """Source: medpy 0.5.2. Its HD95 pools both directions and counts voxels of the border alike, so it differs by design."""
    truth, predicted, spacing_mm = PAIRS[name]
    case = measure_case(Case("i", "p", name, truth, predicted, spacing_mm))
    *counts, hausdorff, hausdorff_95, relative = MEDPY[name]
    assert (case.dice, case.jaccard, case.sensitivity, case.precision) == pytest.approx(counts, abs=1e-6)
    assert (case.hausdorff, case.relative_size_difference) == pytest.approx((hausdorff, relative), abs=1e-6)
    assert case.hausdorff_95 == pytest.approx(hausdorff_95, abs=max(spacing_mm))
