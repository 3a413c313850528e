"""Augmentation: each change alone does what its setting says, and what belongs to an image moves with it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from lucency.data.augmentation import Augment, Batch, appearance, geometry, make_augmenter, to_unit_range
from lucency.data.augmentation.draws import Draw, Draws
from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.plan import Augmentation

KEYS = np.arange(64, dtype=np.uint64) * np.uint64(7919)


def only(**settings: object) -> Augmentation:
    """Switch on nothing but the named settings."""
    return NO_AUGMENTATION.model_copy(update=settings)


def augment(images: Tensor, settings: Augmentation, seed: int = 5, epoch: int = 0) -> Tensor:
    return make_augmenter(settings, seed)(Batch(images), KEYS[: len(images)], epoch).images


def random_images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def smooth_images(n_images: int, *shape: int) -> Tensor:
    """Return images without fine detail or bright borders, on which two resamplings agree with one."""
    noise = random_images(n_images, 1, *shape).numpy()
    smooth = np.stack([ndimage.gaussian_filter(image[0], 3) for image in noise])[:, None]
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    window = np.ones(())
    for size in shape:
        window = window[..., None] * np.hanning(size)
    return torch.from_numpy((smooth * window).astype(np.float32))


def movement(**changes: float) -> geometry.Geometry:
    """Return the geometry of a single image from chosen numbers instead of drawn ones."""
    neutral = {"angle": 0.0, "skew": 0.0, "zoom_row": 1.0, "zoom_column": 1.0, "shift_row": 0.0, "shift_column": 0.0}
    numbers = {name: np.array([value]) for name, value in (neutral | changes).items()}
    zoom = changes.get("zoom_row", 1.0)
    return geometry.Geometry(geometry._compose(**numbers), np.array([[1 / abs(zoom), 0.0]]))


def move(image: Tensor, **changes: float) -> Tensor:
    shape = tuple(image.shape[2:])
    return geometry.move_images(image, geometry.make_sampling(movement(**changes), shape, image.device))


@pytest.mark.parametrize("shape", [(3, 1, 9, 7), (2, 3, 8, 8), (2, 1, 5, 6, 7)])
def test_settings_that_are_off_return_the_image_exactly(shape: tuple[int, ...]) -> None:
    """What is switched off must not touch a single bit."""
    images = random_images(*shape)
    assert torch.equal(augment(images, NO_AUGMENTATION), images)


def test_the_given_batch_is_left_alone() -> None:
    """The store's memory must never be written to."""
    images = random_images(4, 1, 16, 16)
    before = images.clone()
    augment(images, Augmentation(blur_pixels=1, noise=0.1, erase=1, resolution=0.5))
    augment(images, only(brightness=0.2))
    assert torch.equal(images, before)


@pytest.mark.parametrize("setting", [
    {"flip_horizontal": 0.5}, {"flip_vertical": 0.5}, {"rotate_degrees": 10}, {"zoom": (0.9, 1.1)}, {"shift": 0.1},
    {"skew_degrees": 5}, {"blur_pixels": 1}, {"contrast": (0.8, 1.25)}, {"brightness": 0.1}, {"resolution": 0.5},
    {"noise": 0.1}, {"erase": 1.0},
], ids=lambda setting: next(iter(setting)))  # fmt: skip
def test_each_setting_alone_changes_images_and_keeps_their_form(setting: dict[str, object]) -> None:
    """A setting that does nothing would be a lie in the methods section."""
    images = random_images(16, 2, 24, 20)
    augmented = augment(images, only(**setting))
    assert augmented.shape == images.shape
    assert augmented.dtype == torch.float32
    assert bool(torch.isfinite(augmented).all())
    assert float((augmented - images).abs().max()) > 0.01


@pytest.mark.parametrize(("setting", "axis"), [("flip_horizontal", -1), ("flip_vertical", -2)])
def test_a_certain_flip_mirrors_every_image(setting: str, axis: int) -> None:
    """Horizontal swaps left and right, vertical swaps top and bottom."""
    for images in (random_images(3, 1, 9, 12), random_images(2, 1, 4, 9, 12)):
        assert torch.allclose(augment(images, only(**{setting: 1.0})), images.flip(axis), atol=1e-5)


def test_half_of_the_images_are_flipped_at_probability_one_half() -> None:
    """The setting is a probability; 400 draws stay within four standard errors of a half."""
    images = random_images(1, 1, 4, 4).expand(400, -1, -1, -1)
    keys = np.arange(400, dtype=np.uint64)
    augmented = make_augmenter(only(flip_horizontal=0.5), 1)(Batch(images), keys, 0).images
    is_flipped = (augmented - images).abs().amax((1, 2, 3)) > 1e-3
    assert abs(float(is_flipped.float().mean()) - 0.5) < 4 * 0.5 / 20


def test_a_quarter_turn_equals_rot90() -> None:
    """A positive angle turns clockwise on the screen; an exact quarter turn needs no interpolation."""
    image = random_images(1, 2, 8, 8)
    turned = move(image, angle=np.pi / 2)
    assert torch.allclose(turned, torch.rot90(image, -1, (2, 3)), atol=1e-5)
    volume = random_images(1, 1, 5, 8, 8)
    assert torch.allclose(move(volume, angle=np.pi / 2), torch.rot90(volume, -1, (3, 4)), atol=1e-5)


def test_a_rotation_is_rigid_on_an_image_that_is_not_square() -> None:
    """A point 10 pixels from the centre stays 10 pixels away, whatever the image's shape."""
    point = np.zeros((41, 61), np.float32)
    point[20, 40] = 1
    image = torch.from_numpy(ndimage.gaussian_filter(point, 2))[None, None]
    turned = move(image, angle=np.pi / 6)[0, 0].numpy()
    row, column = ndimage.center_of_mass(turned)
    assert (row, column) == pytest.approx((20 + 10 * np.sin(np.pi / 6), 30 + 10 * np.cos(np.pi / 6)), abs=0.01)


def test_a_shift_moves_a_known_pixel_by_the_known_amount() -> None:
    """Positive shifts move down and right; black comes in from outside."""
    image = random_images(1, 1, 10, 12)
    shifted = move(image, shift_row=2.0, shift_column=3.0)
    assert torch.allclose(shifted[:, :, 2:, 3:], image[:, :, :-2, :-3], atol=1e-5)
    assert float(shifted[:, :, :2].abs().max()) < 1e-5
    assert float(shifted[:, :, :, :3].abs().max()) < 1e-5


def test_a_volume_shifts_along_its_slices() -> None:
    """Volumes move along all three axes."""
    volume = random_images(1, 1, 6, 5, 4)
    moved = geometry.Geometry(movement().in_plane, np.array([[1.0, -2.0]]))
    shifted = geometry.move_images(volume, geometry.make_sampling(moved, (6, 5, 4), volume.device))
    assert torch.allclose(shifted[:, :, 2:], volume[:, :, :-2], atol=1e-5)
    assert float(shifted[:, :, :2].abs().max()) < 1e-6


def test_a_zoom_of_two_doubles_distances_from_the_centre() -> None:
    """Magnification is about the centre of the image."""
    image = torch.zeros(1, 1, 21, 21)
    image[0, 0, 7, 12] = 1
    zoomed = move(image, zoom_row=2.0, zoom_column=2.0)[0, 0].numpy()
    assert ndimage.center_of_mass(zoomed) == pytest.approx((10 - 6, 10 + 4), abs=1e-4)


def test_a_skew_moves_lower_rows_to_the_right() -> None:
    """The column moves by tan(angle) times the distance of the row from the centre."""
    image = torch.zeros(1, 1, 21, 21)
    image[0, 0, 16, 10] = 1
    skewed = move(image, skew=0.5)[0, 0].numpy()
    assert ndimage.center_of_mass(skewed) == pytest.approx((16, 13), abs=1e-4)


def test_one_matrix_equals_its_parts_one_after_the_other() -> None:
    """Flip, zoom, skew, rotation and shift compose in this order; on a smooth image one resampling equals five."""
    image = smooth_images(1, 64, 64)
    at_once = move(image, angle=0.3, skew=0.1, zoom_row=-0.8, zoom_column=0.8, shift_row=4.0, shift_column=-3.0)
    stepwise = move(image, zoom_row=-1.0)
    stepwise = move(stepwise, zoom_row=0.8, zoom_column=0.8)
    stepwise = move(stepwise, skew=0.1)
    stepwise = move(stepwise, angle=0.3)
    stepwise = move(stepwise, shift_row=4.0, shift_column=-3.0)
    assert float((at_once - stepwise).abs().max()) < 0.03
    assert float((at_once - image).abs().max()) > 0.2


def test_the_movement_agrees_with_scipy() -> None:
    """SciPy resamples by the same inverse matrix about the same centre; only pixels beyond the edge are treated apart."""
    image = smooth_images(1, 32, 40)
    moved = movement(angle=0.4, skew=-0.2, zoom_row=1.1, zoom_column=1.1, shift_row=2.5, shift_column=-1.5)
    inverse, centre = moved.in_plane[0], np.array([15.5, 19.5])
    offset = centre + inverse[:, 2] - inverse[:, :2] @ centre
    expected = ndimage.affine_transform(image[0, 0].numpy(), inverse[:, :2], offset, order=1)
    result = geometry.move_images(image, geometry.make_sampling(moved, (32, 40), image.device))[0, 0].numpy()
    assert np.abs(result - expected)[2:-2, 2:-2].max() < 1e-4


def test_a_volume_is_resampled_like_pytorch_resamples_it() -> None:
    """A slice matrix and one grid for all slices give the trilinear interpolation of grid_sample in three dimensions."""
    volume = random_images(3, 2, 8, 10, 12)
    settings = only(rotate_degrees=30, zoom=(0.8, 1.2), shift=0.2, skew_degrees=10, flip_horizontal=0.5)
    moved = geometry.draw_geometry(settings, Draws(1, 0, KEYS[:3]), (8, 10, 12))
    assert moved is not None
    result = geometry.move_images(volume, geometry.make_sampling(moved, (8, 10, 12), volume.device))
    z, y, x = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in (8, 10, 12)], indexing="ij")
    for image in range(3):
        (a, b, c), (d, e, f) = moved.in_plane[image]
        factor, offset = moved.along_slices[image]
        grid = np.stack([(d * y + e * x + f) / 6, (a * y + b * x + c) / 5, (factor * z + offset) / 4], -1)
        expected = F.grid_sample(
            volume[image : image + 1], torch.from_numpy(grid.astype(np.float32))[None], align_corners=False
        )
        assert torch.allclose(result[image], expected[0], atol=1e-4)


def test_the_drawn_numbers_stay_within_their_settings() -> None:
    """Angles, factors and shifts of many draws fill their range and never leave it."""
    draws = Draws(3, 0, np.arange(4000, dtype=np.uint64))
    shift = draws.either_side(Draw.SHIFT_ROW, 22.4)
    zoom = draws.factor(Draw.ZOOM, (0.5, 2.0))
    assert np.abs(shift).max() <= 22.4
    assert np.abs(shift).max() > 22
    assert zoom.min() >= 0.5
    assert zoom.max() <= 2
    assert np.mean(zoom < 1) == pytest.approx(0.5, abs=0.04)  # ½ is as likely as 2


@pytest.mark.parametrize("shape", [(20, 17), (28, 28), (6, 9, 11)])
def test_blur_equals_the_gaussian_filter_of_scipy(shape: tuple[int, ...]) -> None:
    """Same standard deviation, same cut-off, border repeated outwards (SciPy's mode `nearest`)."""
    images = random_images(5, 2, *shape)
    settings = only(blur_pixels=1.3)
    draws = Draws(5, 0, KEYS[:5])
    sigma = draws.unit(Draw.BLUR) * 1.3
    blurred = augment(images, settings).numpy()
    for image in range(5):
        for channel in range(2):
            raw = images[image, channel].numpy()
            expected = ndimage.gaussian_filter(raw, sigma[image], mode="nearest", radius=4)
            np.testing.assert_allclose(blurred[image, channel], expected, atol=2e-6)


def test_a_blur_wider_than_the_image_is_possible() -> None:
    """A small image must not stop a study that blurs strongly."""
    assert torch.isfinite(augment(random_images(2, 1, 8, 8), only(blur_pixels=20))).all()


def test_contrast_and_brightness_follow_their_formula() -> None:
    """The result is mean + contrast · (image − mean) + brightness, clipped to the grey scale."""
    images = random_images(8, 1, 12, 12)
    augmented = augment(images, only(contrast=(0.5, 2.0), brightness=0.2))
    draws = Draws(5, 0, KEYS[:8])
    contrast = torch.from_numpy(draws.factor(Draw.CONTRAST, (0.5, 2.0))).float().view(-1, 1, 1, 1)
    brightness = torch.from_numpy(draws.either_side(Draw.BRIGHTNESS, 0.2)).float().view(-1, 1, 1, 1)
    mean = images.mean((1, 2, 3), keepdim=True)
    expected = (mean + contrast * (images - mean) + brightness).clamp(0, 1)
    assert torch.allclose(augmented, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (24, 24, 24)])
def test_erasing_fills_2_to_20_percent_with_the_mean(shape: tuple[int, ...]) -> None:
    """One box of the image's mean grey level, of the size the plan promises, inside the image."""
    images = random_images(64, 1, *shape)
    augmented = augment(images, only(erase=1.0))
    is_erased = (augmented != images).flatten(1)
    share = is_erased.float().mean(1)
    assert float(share.min()) > 0.015
    assert float(share.max()) < 0.22
    assert float(share.std()) > 0.03
    assert float(is_erased.any(0).float().mean()) > 0.8  # anywhere in the image
    mean = images.flatten(1).mean(1)
    for image in range(64):
        filled = augmented[image].flatten()[is_erased[image]]
        assert torch.allclose(filled, mean[image].expand_as(filled), atol=1e-6)


def test_erasing_happens_with_its_probability() -> None:
    """With a probability of 0.25 three of four images stay whole."""
    images = random_images(1, 1, 16, 16).expand(400, -1, -1, -1)
    keys = np.arange(400, dtype=np.uint64)
    augmented = make_augmenter(only(erase=0.25), 1)(Batch(images), keys, 0).images
    share = float((augmented != images).flatten(1).any(1).float().mean())
    assert share == pytest.approx(0.25, abs=4 * 0.22 / 10)


def test_a_resolution_of_one_half_averages_pairs_and_interpolates() -> None:
    """At a whole factor the result is known: average pooling, then linear interpolation to the old size."""
    images = random_images(2, 3, 16, 12)
    coarse = appearance.lower_resolution(images, torch.tensor([0.5, 1.0]))
    expected = F.interpolate(F.avg_pool2d(images[:1], 2), size=(16, 12), mode="bilinear", align_corners=False)
    assert torch.allclose(coarse[:1], expected, atol=1e-5)
    assert torch.allclose(coarse[1:], images[1:], atol=1e-6)


def test_a_volume_loses_resolution_along_all_axes() -> None:
    """Three axes, in the right order."""
    volume = random_images(1, 1, 8, 6, 4)
    coarse = appearance.lower_resolution(volume, torch.tensor([0.5]))
    expected = F.interpolate(F.avg_pool3d(volume, 2), size=(8, 6, 4), mode="trilinear", align_corners=False)
    assert torch.allclose(coarse, expected, atol=1e-5)


def test_lower_resolution_takes_away_fine_detail() -> None:
    """The energy above half the Nyquist frequency falls."""
    images = random_images(8, 1, 32, 32)
    augmented = augment(images, only(resolution=0.3))

    def fine_energy(pictures: Tensor) -> float:
        spectrum = torch.fft.fftshift(torch.fft.fft2(pictures)).abs() ** 2
        spectrum[..., 8:24, 8:24] = 0
        return float(spectrum.sum())

    assert fine_energy(augmented) < 0.7 * fine_energy(images)


def test_noise_has_the_drawn_standard_deviation() -> None:
    """Normal noise around zero, another for each image."""
    images = torch.full((6, 1, 128, 128), 0.5)
    noise = augment(images, only(noise=0.1)) - 0.5
    sigma = Draws(5, 0, KEYS[:6]).unit(Draw.NOISE) * 0.1
    np.testing.assert_allclose(noise.std((1, 2, 3)).numpy(), sigma, rtol=0.03)
    np.testing.assert_allclose(noise.mean((1, 2, 3)).numpy(), 0, atol=0.1 * 5 / 128)
    assert abs(float(torch.corrcoef(noise.flatten(1)[:2])[0, 1])) < 0.05


def test_a_longer_bank_of_noise_begins_like_a_shorter_one() -> None:
    """An image's noise must not depend on the size of the images met before."""
    settings, small, large = only(noise=0.2), torch.full((64, 1, 8, 8), 0.5), torch.full((64, 1, 160, 160), 0.5)
    used: Augment = make_augmenter(settings, 1)
    used(Batch(large), KEYS, 0)
    fresh = make_augmenter(settings, 1)
    first = fresh(Batch(small), KEYS, 0).images
    assert torch.equal(used(Batch(small), KEYS, 0).images, first)
    fresh(Batch(large), KEYS, 0)
    assert torch.equal(fresh(Batch(small), KEYS, 0).images, first)


def test_whole_numbers_and_fractions_agree() -> None:
    """Images come from the store as uint8 or uint16 and are scaled to 0 to 1 on the way."""
    settings = Augmentation(blur_pixels=1, noise=0.05, erase=0.5)
    levels = (random_images(4, 1, 20, 20) * 255).to(torch.uint8)
    from_bytes = augment(levels, settings)
    assert torch.allclose(from_bytes, augment(levels.float() / 255, settings), atol=1e-6)
    assert torch.allclose(from_bytes, augment((levels.int() * 257).to(torch.uint16), settings), atol=1e-6)
    assert float(to_unit_range(torch.tensor([255], dtype=torch.uint8))) == pytest.approx(1)


def test_the_order_of_an_image_in_memory_does_not_matter() -> None:
    """Colour images stand in a store with their channels last."""
    images = random_images(3, 3, 20, 24)
    channels_last = images.to(memory_format=torch.channels_last)
    settings = Augmentation(blur_pixels=1, noise=0.05, erase=0.5, resolution=0.5)
    assert torch.equal(augment(images, settings), augment(channels_last, settings))
    assert torch.equal(augment(images, only(blur_pixels=1)), augment(channels_last, only(blur_pixels=1)))


def test_a_mask_moves_with_its_image_and_gets_no_new_labels() -> None:
    """Nearest neighbour: labels 0, 3 and 7 never become something between."""
    for shape in ((24, 32), (6, 24, 32)):
        masks = torch.zeros(8, *shape, dtype=torch.int64)
        masks[..., 6:18, 8:24] = 3
        masks[..., 9:12, 10:20] = 7
        images = (masks > 0).float().unsqueeze(1)
        settings = only(rotate_degrees=25, zoom=(0.8, 1.2), shift=0.1, flip_horizontal=0.5)
        moved = make_augmenter(settings, 2)(Batch(images, masks=masks), KEYS[:8], 1)
        assert moved.masks is not None
        assert moved.masks.dtype == torch.int64
        assert set(moved.masks.unique().tolist()) == {0, 3, 7}
        covered = (moved.masks > 0) == (moved.images[:, 0] > 0.5)
        assert float(covered.float().mean()) > 0.98


def test_masks_and_boxes_stay_when_only_the_look_changes() -> None:
    """Blur, contrast, noise and erasing move nothing."""
    masks, boxes = torch.randint(0, 3, (2, 9, 9)), torch.rand(2, 3, 4)
    changed = make_augmenter(only(contrast=(0.5, 2.0), erase=1.0), 2)(
        Batch(random_images(2, 1, 9, 9), masks, boxes), KEYS[:2], 0
    )
    assert changed.masks is masks
    assert changed.boxes is boxes
    assert changed.box_is_visible is None


def test_a_box_follows_a_known_movement() -> None:
    """A quarter turn of a 40 × 20 image takes the corner at the top left to the top right."""
    boxes = torch.tensor([[[10.0, 5.0, 14.0, 8.0]]])
    moved, is_visible = geometry.move_boxes(boxes, movement(shift_row=2.0, shift_column=-3.0), (20, 40))
    assert moved.flatten().tolist() == pytest.approx([7, 7, 11, 10])
    assert bool(is_visible.all())
    turned, _ = geometry.move_boxes(torch.tensor([[[0.0, 0.0, 4.0, 2.0]]]), movement(angle=np.pi / 2), (20, 20))
    assert turned.flatten().tolist() == pytest.approx([18, 0, 20, 4], abs=1e-4)


def tilted(degrees: float, shape: tuple[int, int, int], **others: object) -> geometry.Geometry:
    settings = NO_AUGMENTATION.model_copy(update={"tilt_degrees": degrees, **others})
    moved = geometry.draw_geometry(settings, Draws(3, 0, KEYS[:3]), shape)
    assert moved is not None
    return moved


def test_a_volume_tilts_as_scipy_turns_it() -> None:
    """An independent resampling: the voxel at q comes from the place that the matrix names, wherever that lies."""
    shape = (9, 11, 10)
    volume = random_images(3, 1, *shape)
    moved = tilted(30, shape, rotate_degrees=20, zoom=(0.8, 1.2), shift=0.1, skew_degrees=5)
    assert moved.tilted is not None
    result = geometry.move_images(volume, geometry.make_sampling(moved, shape, volume.device))
    middle = (np.array(shape) - 1) / 2
    for image in range(3):
        linear, offset = moved.tilted[image, :, :3], moved.tilted[image, :, 3]
        expected = ndimage.affine_transform(
            np.pad(volume[image, 0].numpy(), 1), linear, middle + 1 + offset - linear @ (middle + 1), order=1
        )
        np.testing.assert_allclose(result[image, 0].numpy(), expected[1:-1, 1:-1, 1:-1], atol=1e-4)


def test_masks_and_boxes_tilt_with_their_volume() -> None:
    """A bright cube, its label and its box end up in the same place, within half a voxel."""
    shape = (24, 26, 28)
    volume, labels = torch.zeros(3, 1, *shape), torch.zeros(3, *shape, dtype=torch.uint8)
    volume[:, :, 8:14, 9:17, 10:16], labels[:, 8:14, 9:17, 10:16] = 1, 1
    moved = tilted(25, shape, rotate_degrees=15)
    sampling = geometry.make_sampling(moved, shape, volume.device)
    images, masks = geometry.move_images(volume, sampling), geometry.move_masks(labels, sampling)
    boxes, is_visible = geometry.move_boxes(torch.tensor([[[10.0, 9, 8, 16, 17, 14]]] * 3), moved, shape)
    assert is_visible.all()
    places = torch.from_numpy(np.indices(shape)).float() + 0.5
    for image in range(3):
        at = [(places * one).sum((1, 2, 3)) / one.sum() for one in (images[image, 0], masks[image].float())]
        assert (at[0] - at[1]).abs().max() < 0.5
        x, y, z, right, low, far = boxes[image, 0].tolist()
        middle = torch.tensor([(z + far) / 2, (y + low) / 2, (x + right) / 2])
        assert (at[0] - middle).abs().max() < 0.5
    assert set(masks.unique().tolist()) == {0, 1}


def test_without_tilt_nothing_changes_and_pictures_never_tilt() -> None:
    """The draws of everything else stay as they were, and so do studies of before."""
    settings = NO_AUGMENTATION.model_copy(update={"rotate_degrees": 10.0})
    for shape in ((8, 9), (6, 8, 9)):
        without = geometry.draw_geometry(settings, Draws(3, 0, KEYS[:3]), shape)
        with_it = geometry.draw_geometry(
            settings.model_copy(update={"tilt_degrees": 9.0}), Draws(3, 0, KEYS[:3]), shape
        )
        assert without is not None
        assert with_it is not None
        np.testing.assert_array_equal(without.in_plane, with_it.in_plane)
        assert without.tilted is None
        assert (with_it.tilted is None) == (len(shape) == 2)


def test_a_box_of_a_volume_follows_along_three_axes() -> None:
    """Order x, y, z; a zoom of two about the centre of a 20³ volume."""
    boxes = torch.tensor([[[9.0, 8.0, 7.0, 11.0, 12.0, 13.0]]])
    moved, _ = geometry.move_boxes(boxes, movement(zoom_row=2.0, zoom_column=2.0), (20, 20, 20))
    assert moved.flatten().tolist() == pytest.approx([8, 6, 4, 12, 14, 16])


def test_a_box_that_mostly_left_the_image_is_no_longer_visible() -> None:
    """Two thirds outside is gone; a third outside is clipped; what was invisible stays so."""
    boxes = torch.tensor(
        [[[0.0, 0.0, 6.0, 6.0], [2.0, 0.0, 8.0, 6.0], [10.0, 10.0, 12.0, 12.0], [-9.0, -9.0, -8.0, -8.0]]]
    )
    moved, is_visible = geometry.move_boxes(boxes, movement(shift_column=-4.0), (20, 20))
    assert is_visible.tolist() == [[False, True, True, False]]
    assert moved[0, 1].tolist() == pytest.approx([0, 0, 4, 6])
    batch = Batch(random_images(1, 1, 20, 20), boxes=boxes, box_is_visible=torch.tensor([[True, True, False, True]]))
    augmented = make_augmenter(only(shift=0.01), 1)(batch, KEYS[:1], 0)
    assert augmented.box_is_visible is not None
    assert augmented.box_is_visible.tolist() == [[True, True, False, False]]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("shape", [(6, 1, 32, 32), (2, 1, 8, 16, 16)])
def test_a_gpu_gives_what_the_cpu_gives(shape: tuple[int, ...]) -> None:
    """Same draws, same formula, other arithmetic order."""
    settings = Augmentation(flip_horizontal=0.5, blur_pixels=1, noise=0.05, erase=0.5, resolution=0.5)
    images = random_images(*shape)
    on_gpu = augment(images.cuda(), settings)
    assert on_gpu.is_cuda
    assert torch.allclose(on_gpu.cpu(), augment(images, settings), atol=2e-3)
