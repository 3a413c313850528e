"""Distances of new images from those that networks learnt from."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from sklearn.neighbors import NearestNeighbors

from lucency.data.looks.brightness import N_LEVELS, brightness_curves
from lucency.evaluation.likeness import N_NEIGHBOURS, curve_distances, limit, neighbour_distances


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
    assert curve_distances(curves[:1], curves[1])[0] == pytest.approx(wasserstein_distance(*levels), abs=1e-9)


def test_a_curve_is_the_same_at_8_and_16_bits() -> None:
    """One camera stores 8 bits and another 16; the picture is the same."""
    image = np.random.default_rng(3).integers(0, 256, (1, 1, 20, 20)).astype(np.uint8)
    assert np.array_equal(brightness_curves(image), brightness_curves(image.astype(np.uint16) * np.uint16(257)))


def test_one_tuning_image_in_a_hundred_lies_beyond_the_limit() -> None:
    """What a warning means: so far out is one in a hundred of those that are alike."""
    distances = np.random.default_rng(4).random(1000)
    assert (distances > limit(distances)).mean() == pytest.approx(0.01)
