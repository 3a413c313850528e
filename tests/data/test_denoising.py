"""Denoising: less noise, the same edges, the same type."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from films import draw_films
from lucency.data.looks.denoising import Method, denoise

FILM = draw_films(4, seed=51, size=256)[0]


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in decibels, white being the peak."""
    return float(10 * np.log10(255**2 / ((image.astype(float) - truth) ** 2).mean()))


def steepness(image: np.ndarray) -> np.ndarray:
    return np.hypot(*np.gradient(gaussian_filter(image.astype(float), 0.7)))


@pytest.mark.parametrize(("method", "gain_db"), [("median", 4.0), ("diffusion", 6.0)])
def test_noise_goes_and_edges_stay(method: Method, gain_db: float) -> None:
    """Known noise of 8 % on a smooth film; of its steepest edges four fifths of the slope are left."""
    truth = gaussian_filter(FILM.astype(float), 1)
    noisy = np.clip(np.rint(truth + np.random.default_rng(1).normal(0, 20, truth.shape)), 0, 255).astype(np.uint8)
    cleaned = denoise(noisy, method)
    assert psnr(cleaned, truth) > psnr(noisy, truth) + gain_db
    edges = steepness(truth) > np.quantile(steepness(truth), 0.98)
    assert steepness(cleaned)[edges].mean() > 0.8 * steepness(truth)[edges].mean()


@pytest.mark.parametrize("method", ["none", "median", "diffusion"])
def test_type_shape_and_range_are_kept(method: Method) -> None:
    """Grey and colour, 8 and 16 bits, down to a single pixel."""
    deep = FILM.astype(np.uint16) * 200 + 1000
    for image in (FILM, deep, np.repeat(FILM[..., None], 3, axis=-1), FILM[:1, :1], FILM[:2, :3]):
        cleaned = denoise(image, method)
        assert (cleaned.dtype, cleaned.shape) == (image.dtype, image.shape)
        assert image.min() <= cleaned.min() <= cleaned.max() <= image.max()
    even = np.full((20, 20), 77, np.uint8)
    assert np.array_equal(denoise(even, method), even)
    assert np.array_equal(denoise(FILM, "none"), FILM)
