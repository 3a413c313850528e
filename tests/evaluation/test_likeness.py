"""Distances of new images from those that networks learnt from."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from sklearn.neighbors import NearestNeighbors

from lucency.data.looks.from_afar import N_LEVELS, SIDE, brightness_curves, thumbnails
from lucency.evaluation.likeness import (
    MOST_DIRECTIONS,
    N_NEIGHBOURS,
    curve_distances,
    limit,
    neighbour_distances,
    spread_of,
)


def test_the_distance_to_the_neighbours_is_that_of_scikit_learn() -> None:
    """Features of length one, the k-th nearest (Sun 2022)."""
    random = np.random.default_rng(1)
    known, new = random.normal(0, 1, (200, 16)).astype(np.float32), random.normal(1, 2, (30, 16)).astype(np.float32)
    of_length_one = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (known, new)]
    expected = NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(of_length_one[0]).kneighbors(of_length_one[1])[0][:, -1]
    assert neighbour_distances(new, known) == pytest.approx(expected, abs=1e-5)


def test_fewer_images_than_neighbours_are_enough() -> None:
    """A tiny study is applied too; features of zeros lie nowhere and everywhere."""
    known = np.eye(3, dtype=np.float32)
    assert neighbour_distances(known, known) == pytest.approx(np.full(3, np.sqrt(2)), abs=1e-3)
    assert np.isfinite(neighbour_distances(np.zeros((1, 3), np.float32), known)).all()


def test_the_distance_of_brightness_is_that_of_wasserstein() -> None:
    """By how much of the grey scale brightness has to be moved, from one image to the other."""
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (2, 1, 40, 40)).astype(np.uint8)
    images[1] //= 3
    curves = brightness_curves(images)
    levels = [image.ravel() // (256 // N_LEVELS) / N_LEVELS for image in images.astype(int)]
    assert curve_distances(curves[:1], curves[1:])[0] == pytest.approx(wasserstein_distance(*levels), abs=1e-9)


def test_a_curve_is_the_same_at_8_and_16_bits() -> None:
    """One camera stores 8 bits and another 16; the picture is the same."""
    image = np.random.default_rng(3).integers(0, 256, (1, 1, 20, 20)).astype(np.uint8)
    assert np.array_equal(brightness_curves(image), brightness_curves(image.astype(np.uint16) * np.uint16(257)))


def test_one_tuning_image_in_a_hundred_lies_beyond_the_limit() -> None:
    """What a warning means: so far out is one in a hundred of those that are alike."""
    distances = np.random.default_rng(4).random(1000)
    assert (distances > limit(distances)).mean() == pytest.approx(0.01)


def test_of_many_curves_the_fifth_nearest_counts() -> None:
    """One odd training image, or four, do not make their like usual."""
    known = np.array([[0.0]] * 4 + [[0.5]] * 9)
    assert curve_distances(np.array([[0.0], [0.5]]), known).tolist() == [0.5, 0.0]


@pytest.mark.parametrize(("n_images", "n_features"), [(400, 12), (40, 300)])
def test_the_distance_is_that_of_mahalanobis(n_images: int, n_features: int) -> None:
    """With the inverse of the whole covariance, which is written out here; also where images are fewer than features."""
    random = np.random.default_rng(6)
    mixing = random.normal(0, 1, (n_features, n_features))
    known = (random.normal(0, 1, (n_images, n_features)) @ mixing + 3).astype(np.float32)
    new = (random.normal(0, 2, (20, n_features)) @ mixing).astype(np.float32)
    spread = spread_of(known)
    covariance = spread.directions.T @ np.diag(spread.variances) @ spread.directions
    covariance = covariance.astype(float) + spread.rest * (np.eye(n_features) - spread.directions.T @ spread.directions)
    if n_images > n_features:
        assert covariance == pytest.approx(np.cov(known.T), rel=1e-3, abs=1e-3)
    away = new - known.mean(axis=0)
    squares = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
    assert spread.distances(new) == pytest.approx(np.sqrt(squares / n_features), rel=1e-3)


def test_what_never_varies_is_not_divided_by() -> None:
    """A feature that is always zero, and more features than directions are kept; one image alone has no spread."""
    random = np.random.default_rng(7)
    features = random.normal(0, 1, (600, MOST_DIRECTIONS + 40)).astype(np.float32)
    features[:, 0] = 0
    assert np.isfinite(spread_of(features).distances(features)).all()
    assert np.isfinite(spread_of(features[:1]).distances(features[:3])).all()


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 33, 50), (8, 10, 20)])
def test_a_thumbnail_is_the_mean_over_its_fields(shape: tuple[int, int, int]) -> None:
    """Of images smaller than the thumbnail too; what is alike but brighter has the same thumbnail."""
    images = np.random.default_rng(8).integers(0, 200, (2, *shape)).astype(np.uint8)
    small = thumbnails(images)
    assert small.shape == (2, SIDE * SIDE)
    assert small.mean(axis=1) == pytest.approx(np.zeros(2), abs=1e-6)
    assert thumbnails(images + np.uint8(50)) == pytest.approx(small, abs=1e-5)
    if shape == (1, 64, 64):
        means = images.reshape(2, SIDE, 4, SIDE, 4).mean(axis=(2, 4)).reshape(2, -1) / 255
        assert small == pytest.approx(means - means.mean(axis=1, keepdims=True), abs=1e-6)
