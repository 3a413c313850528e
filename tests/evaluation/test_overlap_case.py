"""What is measured of one case: against other implementations, by hand, and where a mask is empty."""

import numpy as np
import pytest
import SimpleITK

from evaluation.masks_factory import ball
from lucency.evaluation.overlap.case import Case, Emptiness, measure_case
from lucency.evaluation.overlap.elements import element_sizes, patterns

SPACING = (2.5, 0.8, 1.2)
TRUTH = ball((18, 26, 22), (9, 12, 10), (6, 9, 8))
PREDICTED = ball((18, 26, 22), (10, 13, 10), (5, 9, 7))
NOTHING = np.zeros_like(TRUTH)


def measured(truth, predicted, spacing_mm=SPACING, tolerance=1.0):
    return measure_case(Case("image", "patient", "ball", truth, predicted, spacing_mm), tolerance)


def test_voxels_are_counted_as_simpleitk_counts_them():
    """ITK's LabelOverlapMeasuresImageFilter is the independent implementation."""
    itk = SimpleITK.LabelOverlapMeasuresImageFilter()
    itk.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (PREDICTED, TRUTH)))
    case = measured(TRUTH, PREDICTED)
    assert case.dice == pytest.approx(itk.GetDiceCoefficient())
    assert case.jaccard == pytest.approx(itk.GetJaccardCoefficient())
    assert 1 - case.sensitivity == pytest.approx(itk.GetFalseNegativeError())
    assert 1 - case.precision == pytest.approx(itk.GetFalseDiscoveryRate())


def test_the_hausdorff_distance_lies_within_a_voxel_of_simpleitks():
    """ITK measures from centres of voxels, we from the surface between them: they differ by at most a voxel's diagonal."""
    itk, images = SimpleITK.HausdorffDistanceImageFilter(), []
    for mask in (TRUTH, PREDICTED):
        images.append(SimpleITK.GetImageFromArray(mask.astype(np.uint8)))
        images[-1].SetSpacing(SPACING[::-1])
    itk.Execute(*images)
    assert measured(TRUTH, PREDICTED).hausdorff == pytest.approx(itk.GetHausdorffDistance(), abs=np.hypot(*SPACING[1:]))


def test_volumes_are_in_cubic_millimetres():
    """2.5 × 0.8 × 1.2 mm make 2.4 mm³ a voxel."""
    case = measured(TRUTH, PREDICTED)
    assert (case.truth_size, case.size_unit) == (pytest.approx(2.4 * TRUTH.sum()), "mm³")
    assert case.size_difference == pytest.approx(2.4 * (PREDICTED.sum() - TRUTH.sum()))
    assert case.relative_size_difference == pytest.approx(PREDICTED.sum() / TRUTH.sum() - 1)


def test_without_spacing_everything_is_in_pixels_and_says_so():
    """A PNG does not tell its spacing; millimetres would be invented."""
    truth, predicted = np.zeros((2, 1, 20, 20), bool)
    truth[0, 5:10, 5:10], predicted[0, 5:10, 8:13] = True, True
    case = measured(truth, predicted, None)
    assert (case.size_unit, case.distance_unit, case.truth_size) == ("pixels", "pixels", 25)
    assert case.hausdorff == 3
    assert measured(TRUTH, PREDICTED, None).size_unit == "voxels"


def test_a_stack_of_one_slice_is_judged_as_a_picture():
    """Lucency keeps pictures as stacks of one; its lids would count as surface that is always right."""
    as_stack = measured(TRUTH[9:10], PREDICTED[9:10])
    as_picture = measured(TRUTH[9], PREDICTED[9], SPACING[1:])
    assert as_stack == as_picture
    assert as_stack.size_unit == "mm²"


@pytest.mark.parametrize(
    ("truth", "predicted", "emptiness", "dice", "surface_dice"),
    [
        (NOTHING, NOTHING, Emptiness.BOTH_EMPTY, None, None),
        (TRUTH, NOTHING, Emptiness.MISSED, 0, 0),
        (NOTHING, PREDICTED, Emptiness.FALSE_ALARM, 0, 0),
        (TRUTH, TRUTH, Emptiness.NONE, 1, 1),
    ],
)
def test_empty_masks_are_told_apart(truth, predicted, emptiness, dice, surface_dice):
    """A Dice of 1 for two empty masks would lift the mean; a distance to nothing is not zero."""
    case = measured(truth, predicted)
    assert (case.emptiness, case.dice, case.surface_dice) == (emptiness, dice, surface_dice)
    assert (case.hausdorff is None) == (case.hausdorff_95 is None) == (emptiness is not Emptiness.NONE)


def test_a_tolerance_of_three_steps_reaches_three_steps():
    """3 × 0.4 mm is 1.2000000000000002 in the computer; the surface still lies within 1.2 mm."""
    truth, predicted = np.zeros((2, 12, 12), bool)
    truth[2:6], predicted[2:9] = True, True
    assert measured(truth, predicted, (0.4, 0.4), tolerance=1.2).surface_dice == 1


def test_the_surface_of_a_flat_face_is_its_area():
    """A slab of 30 × 30 voxels of 0.8 × 1.2 mm has two faces and four sides, less what is cut off its edges."""
    slab = np.zeros((8, 34, 34), bool)
    slab[2:6, 2:32, 2:32] = True
    area = element_sizes(SPACING)[patterns(slab)].sum()
    whole = 2 * (30 * 0.8) * (30 * 1.2) + 2 * (4 * 2.5) * (30 * 0.8) + 2 * (4 * 2.5) * (30 * 1.2)
    assert area == pytest.approx(whole, rel=0.05)
    assert area < whole


def test_masks_on_different_grids_are_not_compared():
    """A programme that mixes up grids must stop, never measure."""
    with pytest.raises(AssertionError, match="different grids"):
        measured(TRUTH, PREDICTED[:-1])
