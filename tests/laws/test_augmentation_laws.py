"""Laws of the augmentation: an image's draw is its own, and what belongs to it moves with it."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucency.data.augmentation import Batch, make_augmenter
from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.plan import Augmentation

EVERYTHING = Augmentation(
    flip_horizontal=0.5, flip_vertical=0.5, skew_degrees=5, blur_pixels=1.0, resolution=0.5, noise=0.05, erase=0.5
)
"""Every change is switched on."""
EXACT = EVERYTHING.model_copy(update={"resolution": 1.0})
"""All but the matrix product of the resolution, whose last bit a library may round by the size of the batch."""

seeds = st.integers(0, 2**62)
keys = st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=12, unique=True)


def images_of(sample_keys: np.ndarray, *shape: int) -> torch.Tensor:
    """Return an image for each key that is a function of its key."""
    rows = [np.random.default_rng(int(key)).integers(0, 256, (1, *shape), dtype=np.uint8) for key in sample_keys]
    return torch.from_numpy(np.stack(rows))


@given(seed=seeds, keys=keys, epoch=st.integers(0, 1000), data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_image_gets_the_same_bits_in_any_batch(seed: int, keys: list[int], epoch: int, data: st.DataObject) -> None:
    """The draw and its result depend on (seed, epoch, key), never on the batch or its order."""
    sample_keys = np.array(keys, dtype=np.uint64)
    images = images_of(sample_keys, 18, 15)
    chosen = data.draw(st.lists(st.integers(0, len(keys) - 1), min_size=1, max_size=6))
    whole = make_augmenter(EXACT, seed)(Batch(images), sample_keys, epoch).images
    part = make_augmenter(EXACT, seed)(Batch(images[chosen]), sample_keys[chosen], epoch).images
    assert torch.equal(part, whole[chosen])


@given(seed=seeds, keys=keys)
@settings(max_examples=10, deadline=None)
def test_a_volume_and_a_coarser_image_do_not_depend_on_their_batch(seed: int, keys: list[int]) -> None:
    """The matrix products agree to rounding."""
    sample_keys = np.array(keys, dtype=np.uint64)
    for shape in ((20, 22), (6, 9, 10)):
        images = images_of(sample_keys, *shape)
        augment = make_augmenter(EVERYTHING, seed)
        whole = augment(Batch(images), sample_keys, 0).images
        backwards = augment(Batch(images.flip(0)), sample_keys[::-1].copy(), 0).images
        assert torch.allclose(backwards.flip(0), whole, atol=1e-5)


def test_a_batch_cut_into_parts_for_the_cache_is_the_same_batch() -> None:
    """Large batches are worked on in parts; the last, smaller part gets no other treatment."""
    sample_keys = np.arange(300, dtype=np.uint64)
    images = images_of(sample_keys, 40, 40)
    augment = make_augmenter(EXACT, 3)
    whole = augment(Batch(images), sample_keys, 0).images
    one_by_one = [augment(Batch(images[i : i + 1]), sample_keys[i : i + 1], 0).images for i in (0, 162, 163, 164, 299)]
    assert torch.equal(torch.cat(one_by_one), whole[[0, 162, 163, 164, 299]])


@given(seed=seeds, key=st.integers(0, 2**64 - 1), epoch=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_another_epoch_seed_or_key_gives_another_image(seed: int, key: int, epoch: int) -> None:
    """Each time an image is seen, it looks different."""
    keys = np.array([key], dtype=np.uint64)
    image = Batch(images_of(keys, 16, 16))
    here = make_augmenter(EVERYTHING, seed)(image, keys, epoch).images
    others = [
        make_augmenter(EVERYTHING, seed)(image, keys, epoch + 1).images,
        make_augmenter(EVERYTHING, seed + 1)(image, keys, epoch).images,
        make_augmenter(EVERYTHING, seed)(image, keys ^ np.uint64(1), epoch).images,
    ]
    assert all(not torch.allclose(here, other, atol=1e-3) for other in others)


@given(seed=seeds, epoch=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_switching_a_change_on_leaves_the_other_draws_alone(seed: int, epoch: int) -> None:
    """An ablation compares the same rotations with and without erasing."""
    keys = np.arange(4, dtype=np.uint64)
    images = Batch(images_of(keys, 20, 20))
    without = NO_AUGMENTATION.model_copy(update={"rotate_degrees": 20.0})
    erasing = without.model_copy(update={"erase": 1.0})
    moved = make_augmenter(without, seed)(images, keys, epoch).images
    erased = make_augmenter(erasing, seed)(images, keys, epoch).images
    assert float((moved == erased).float().mean()) > 0.7


@given(
    seed=seeds,
    top=st.integers(14, 30),
    left=st.integers(18, 34),
    height=st.integers(6, 18),
    width=st.integers(6, 18),
    strong=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_bright_rectangle_its_mask_and_its_box_stay_together(
    seed: int, top: int, left: int, height: int, width: int, strong: bool
) -> None:
    """Whatever is drawn: the mask covers the bright pixels, and the box encloses them within half a pixel."""
    n_rows, n_columns = 64, 72
    change = Augmentation(
        flip_horizontal=0.5,
        flip_vertical=0.5,
        rotate_degrees=180 if strong else 10,
        zoom=(0.7, 1.2) if strong else (0.9, 1.1),
        shift=0.05,
        skew_degrees=20 if strong else 5,
        contrast=(1, 1),
        brightness=0,
    )
    masks = torch.zeros(3, n_rows, n_columns, dtype=torch.uint8)
    masks[:, top : top + height, left : left + width] = 5
    box = torch.tensor([left, top, left + width, top + height], dtype=torch.float32).expand(3, 1, 4)
    keys = np.arange(3, dtype=np.uint64)
    moved = make_augmenter(change, seed)(Batch((masks > 0).float().unsqueeze(1), masks, box), keys, 0)
    assert moved.masks is not None
    assert moved.boxes is not None
    assert moved.box_is_visible is not None
    assert bool(moved.box_is_visible.all())
    for image, mask, moved_box in zip(moved.images[:, 0], moved.masks, moved.boxes[:, 0], strict=True):
        is_bright, is_masked = image > 0.5, mask == 5
        # A pixel may fall to either side where the edge runs through its middle: half a pixel along the outline.
        assert int((is_bright != is_masked).sum()) <= 0.25 * 2 * (height + width)
        rows, columns = torch.nonzero(is_masked, as_tuple=True)
        first = torch.stack([columns.min(), rows.min()]) - moved_box[:2]
        last = moved_box[2:] - 1 - torch.stack([columns.max(), rows.max()])
        # No pixel lies more than half outside the box; a sharp corner may end between the pixels inside.
        assert float(torch.cat([first, last]).min()) > -0.501
        assert float(torch.cat([first, last]).max()) < (2 if strong else 1)
