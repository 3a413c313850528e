"""What a segmentation chooses for itself."""

import numpy as np
import pytest

from lucency.data.cohort_fingerprint import CohortFingerprint, fingerprint_of_pictures, fingerprint_of_volumes
from lucency.domain.data_plan import Image
from lucency.domain.segmentation import Configuration, GreyScale
from lucency.domain.segmentation_plan import Segmentation
from lucency.domain.volume import Volume
from lucency.errors import PlanError
from lucency.training.configuring import Machine, configure

CPU, GPU = Machine("cpu", 16), Machine("cuda", 70)
WHOLE = Image(volumes="whole")


def cohort(
    shape: tuple[int, ...], spacing: tuple[float, ...], foreground: tuple[float, float] | None = None
) -> CohortFingerprint:
    return CohortFingerprint(np.array([shape] * 5), np.array([spacing] * 5, float), foreground)


def chosen(
    fingerprint: CohortFingerprint, image: Image = WHOLE, machine: Machine = CPU, **plan: object
) -> Configuration:
    return configure(("a", "b"), fingerprint, image, Segmentation.model_validate(plan), machine)


def test_the_hippocampus_gets_the_patch_that_nnunet_published() -> None:
    """Task 04 of the Medical Segmentation Decathlon: median 36 × 50 × 35 at 1 mm; 40 × 56 × 40 with three halvings.

    Isensee 2021, supplementary note on the Decathlon's configurations.
    """
    configuration = chosen(cohort((36, 50, 35), (1, 1, 1)), machine=GPU)
    assert configuration.patch_size == (40, 56, 40)
    assert configuration.strides == ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2))
    assert configuration.features == (32, 64, 128, 256)
    assert configuration.patches_per_image == 1


def test_thick_slices_are_neither_resampled_away_nor_halved_early() -> None:
    """Prostate-like: 20 slices of 3.6 mm, pixels of 0.6 mm."""
    configuration = chosen(cohort((20, 320, 320), (3.6, 0.625, 0.625)), machine=GPU)
    assert configuration.spacing_mm == (3.6, 0.625, 0.625)
    assert configuration.strides[1] == (1, 2, 2)
    assert configuration.strides[2] == (1, 2, 2)
    assert configuration.kernel_sizes[0] == (1, 3, 3)
    assert configuration.kernel_sizes[-1] == (3, 3, 3)


def test_the_spacing_is_the_median_and_of_thick_slices_the_tenth_percentile() -> None:
    """So that half of the cohort is not blurred along its best axis."""
    spacings = np.array([[1, 1, 1], [2, 1, 1], [2, 1, 1]], float)
    assert chosen(CohortFingerprint(np.array([[40, 40, 40]] * 3), spacings, None)).spacing_mm == (2, 1, 1)
    spacings = np.array([[1, 1, 1], [5, 1, 1], [6, 1, 1]], float)
    expected = round(float(np.percentile([1, 5, 6], 10)), 4)
    assert chosen(CohortFingerprint(np.array([[40, 40, 40]] * 3), spacings, None)).spacing_mm == (expected, 1, 1)


def test_memory_decides_how_much_of_a_large_volume_is_seen() -> None:
    """A quarter of the memory means a smaller patch, never one that cannot be halved."""
    large = cohort((200, 512, 512), (1, 1, 1))
    sizes = []
    for memory in (2, 8, 32):
        configuration = chosen(large, machine=GPU, memory_gb=memory)
        divisors = np.prod(configuration.strides, axis=0)
        assert all(side % divisor == 0 for side, divisor in zip(configuration.patch_size, divisors, strict=True))
        sizes.append(int(np.prod(configuration.patch_size)))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert np.prod(chosen(large).patch_size) <= 2**18
    assert chosen(large).patches_per_image == 8


def test_everything_that_the_plan_names_stays_and_is_told_as_its_own() -> None:
    """A choice is an offer."""
    plan = {"patch_size": (16, 32, 32), "n_stages": 3, "n_features": 8, "batch_size": 5, "patches_per_image": 2}
    configuration = chosen(cohort((40, 60, 60), (1, 1, 1)), **plan, most_features=20)
    assert configuration.patch_size == (16, 32, 32)
    assert configuration.features == (8, 16, 20)
    assert (configuration.batch_size, configuration.patches_per_image) == (5, 2)
    told = {choice.name: choice for choice in configuration.choices}
    assert all(told[name].is_from_plan for name in plan)
    assert not told["spacing_mm"].is_from_plan
    assert all(choice.reason for choice in configuration.choices)


def test_what_cannot_be_is_refused_with_the_way_out() -> None:
    """Before any training."""
    some = cohort((40, 60, 60), (1, 1, 1))
    with pytest.raises(PlanError, match="take multiples of 4 × 4 × 4"):
        chosen(some, patch_size=(18, 32, 32), n_stages=3)
    with pytest.raises(PlanError, match=r"take at most \d"):
        chosen(some, n_stages=8)
    with pytest.raises(PlanError, match="own_range"):
        chosen(some, grey_levels="foreground")
    with pytest.raises(PlanError, match="data.image.window"):
        chosen(some, grey_levels="window")
    with pytest.raises(PlanError, match="rows, columns"):
        chosen(some, patch_size=(32, 32))


def test_grey_levels_go_by_unit_window_or_own_range() -> None:
    """Hounsfield units have a common scale; MR has none."""
    ct = cohort((40, 60, 60), (1, 1, 1), (-50.0, 200.0))
    assert chosen(ct).grey_scale == GreyScale("between", -50, 200)
    window = Image(volumes="whole", window=(40, 400))
    assert chosen(ct, window).grey_scale == GreyScale("between", -160, 240)
    assert chosen(ct, grey_levels="own_range").grey_scale == GreyScale("own_range")
    assert chosen(cohort((40, 60, 60), (1, 1, 1))).grey_scale == GreyScale("own_range")


def test_pictures_are_seen_whole_and_keep_their_grid() -> None:
    """A U-Net of 256 pixels goes down to 4."""
    configuration = chosen(fingerprint_of_pictures(100, (256, 256)), Image(size=256))
    assert configuration.patch_size == (256, 256)
    assert configuration.spacing_mm is None
    assert configuration.grey_scale == GreyScale("stored")
    assert len(configuration.strides) == 7


def test_the_fingerprint_of_ct_is_what_the_structures_hold() -> None:
    """From the 0.5th to the 99.5th percentile; one volume in other units leaves it out."""
    values = np.arange(1000, dtype=np.int16).reshape(10, 10, 10)
    labels = np.zeros(values.shape, np.uint8)
    labels[5:] = 1
    ct = Volume(values, np.diag([2.0, 1, 1, 1]), "HU")
    found = fingerprint_of_volumes([(ct, labels)])
    assert found.foreground == pytest.approx(tuple(np.percentile(np.arange(500, 1000), (0.5, 99.5))))
    assert found.spacings_mm is not None
    assert found.spacings_mm.tolist() == [[2, 1, 1]]
    mixed = fingerprint_of_volumes([(ct, labels), (Volume(values, None), labels)])
    assert mixed.foreground is None
    assert mixed.spacings_mm is None


def test_a_cohort_in_which_nothing_is_drawn_has_no_foreground() -> None:
    """Nothing to take percentiles of."""
    values = np.zeros((4, 4, 4), np.int16)
    found = fingerprint_of_volumes([(Volume(values, None, "HU"), np.zeros(values.shape, np.uint8))])
    assert found.foreground is None
