"""STAPLE gives what its reference implementation in ITK gives."""

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from lucency.data.ground_truth.staple import staple


def drawn_by_three() -> NDArray[np.bool_]:
    """Draw a square of 8 × 8 three times: one reader leaves out its first row, one adds a row, one lacks a column."""
    masks = np.zeros((3, 1, 16, 16), bool)
    masks[:, 0, 4:12, 4:12] = True
    masks[0, 0, 4] = False
    masks[1, 0, 12, 4:12] = True
    masks[2, 0, 4:12, 4] = False
    return masks


def test_three_squares() -> None:
    """Source: SimpleITK 2.5.7, and an own fit that agrees to six digits."""
    found = staple(drawn_by_three())
    assert found.sensitivity == pytest.approx([0.87593905, 1.0, 0.87593905], abs=1e-6)
    assert found.specificity == pytest.approx([1.0, 0.957991, 1.0], abs=1e-6)
    assert (found.probability >= 0.5).sum() == 63
    assert found.is_converged


@pytest.mark.parametrize("n_readers", [2, 3, 5, 9, 17])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_masks_as_in_simpleitk(n_readers: int, seed: int) -> None:
    """Every way of counting the votes (8, 16 and 64 bits) has to give what the reference gives voxel by voxel."""
    draw = np.random.default_rng(seed)
    truth = np.zeros((6, 12, 12), bool)
    truth[1:5, 2:10, 3:9] = True
    errs = draw.uniform(0.03, 0.25, n_readers)
    masks = np.stack([truth ^ (draw.random(truth.shape) < share) for share in errs])
    ours, theirs = staple(masks), SimpleITK.STAPLEImageFilter()
    theirs.SetForegroundValue(1)
    theirs.SetMaximumIterations(100_000)
    probability = theirs.Execute([SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    assert ours.sensitivity == pytest.approx(theirs.GetSensitivity(), abs=1e-6)
    assert ours.specificity == pytest.approx(theirs.GetSpecificity(), abs=1e-6)
    assert ours.probability == pytest.approx(SimpleITK.GetArrayFromImage(probability), abs=1e-6)
