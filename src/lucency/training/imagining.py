"""Images from noise: what a trained generator makes."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor, nn

from lucency.network.gan import noise_with_class
from lucency.randomness import uniforms
from lucency.training.device import Device

_AT_ONCE = 256


def noise_of(numbers: NDArray[np.int64], seed: int, purpose: str, noise_size: int) -> NDArray[np.float64]:
    """Draw normal noise, axes (image, number), for numbered images; each draw depends on its own number and on no other."""
    drawn = uniforms(seed, purpose, 0, numbers.astype(np.uint64), noise_size)
    return ndtri(np.clip(drawn, 2.0**-54, None))


def imagine(
    generator: nn.Module, noise: NDArray[np.float64], targets: Tensor, n_classes: int, device: Device, dtype: np.dtype
) -> NDArray:
    """Let a generator make one image of each row of noise, as the store holds them, axes (image, channel, row, column)."""
    generator.eval()
    white = np.iinfo(dtype).max
    made = []
    with torch.no_grad():
        for start in range(0, len(noise), _AT_ONCE):
            some = torch.from_numpy(noise[start : start + _AT_ONCE]).float().to(device.device)
            classes = targets[start : start + _AT_ONCE].to(device.device)
            images = generator(noise_with_class(some, classes, n_classes)).double().cpu().numpy()
            made.append(np.rint((images + 1) / 2 * white).clip(0, white).astype(dtype))
    return np.concatenate(made)
