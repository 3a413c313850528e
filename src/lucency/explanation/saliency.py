"""Saliency maps: which parts of an image raised the score of a class.

A map is computed in evaluation mode, without randomness, and leaves the network as it was. It shows what the network
reacted to, not what is true; `sanity_check` tells whether it depends on what was learnt at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.network.watching import at_rest, watched

GRAD_CAM = "Grad-CAM (Selvaraju 2017)"
GRADIENT_TIMES_INPUT = "gradient × input (Shrikumar 2016)"


CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Saliency:
    """The saliency maps of several images, and how they were made."""

    method: str
    maps: NDArray[np.float32]
    """Importance in [0, 1], axes (image, row, column), at the size of the images. The highest value of a map is 1; a map
    of zeros says that nothing raised the score."""
    classes: NDArray[np.int64]
    """The class whose score each map explains."""


def saliency(
    network: nn.Module, images: Tensor, classes: Sequence[int] | None = None, batch_size: int = 32
) -> Saliency:
    """Map what raised the score of a class: Grad-CAM where the network has convolutions, gradient × input elsewhere.

    `images`, axes (image, channel, row, column), are prepared as for training. `classes` names the class to explain for
    each image; when left out, it is the predicted one.
    """
    has_convolutions = any(isinstance(layer, CONVOLUTIONS) for layer in network.modules())
    method, explain = (GRAD_CAM, _grad_cam) if has_convolutions else (GRADIENT_TIMES_INPUT, _gradient_times_input)
    device = next(network.parameters()).device
    with at_rest(network):
        explained = _predicted(network, images, batch_size) if classes is None else torch.tensor(classes)
        maps = [
            _scaled_to_one(explain(network, some_images.to(device), some_classes.to(device))).cpu()
            for some_images, some_classes in zip(images.split(batch_size), explained.split(batch_size), strict=True)
        ]
    return Saliency(method, torch.cat(maps).numpy(), explained.numpy())


def _predicted(network: nn.Module, images: Tensor, batch_size: int) -> Tensor:
    """Return the class of the highest score for each image."""
    device = next(network.parameters()).device
    with torch.no_grad():
        return torch.cat([network(some.to(device)).argmax(1).cpu() for some in images.split(batch_size)])


def _grad_cam(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Weigh the last feature maps by the mean gradient of the score, add them, and keep what is above zero.

    The feature maps are those that the last convolution leads to, after its normalisation, shortcut and activation and
    before any pooling: the layers behind it that keep their shape. Of a volume, a place counts as its most important slice.
    """
    feature_maps: list[Tensor] = []

    def keep_last(_name: str, layer: nn.Module, _inputs: Tensor, output: Tensor) -> None:
        if isinstance(layer, CONVOLUTIONS):
            feature_maps[:] = [output]
        elif feature_maps and output.shape == feature_maps[-1].shape:
            feature_maps.append(output)

    with watched(network, keep_last), torch.enable_grad():
        # The gradient needs a way back to the maps even where the parameters are frozen.
        scores = network(images.detach().clone().requires_grad_())
        (gradient,) = torch.autograd.grad(_sum_of_scores(scores, classes), feature_maps[-1])
    importance = gradient.mean(tuple(range(2, gradient.ndim)), keepdim=True)
    coarse = (importance * feature_maps[-1].detach()).sum(1).clamp(min=0)
    # One map for the whole of a volume, whose slices stand in an axis of the maps or follow each other in the batch.
    coarse = coarse.reshape(len(images), -1, *coarse.shape[-2:]).amax(1, keepdim=True)
    return F.interpolate(coarse, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]


def _gradient_times_input(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Multiply each pixel by the gradient of the score, add the channels, and keep what is above zero.

    For logistic regression this is the exact share of each pixel in the score.
    """
    pixels = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_sum_of_scores(network(pixels), classes), pixels)
    return (gradient * images).sum(1).clamp(min=0)


def _sum_of_scores(scores: Tensor, classes: Tensor) -> Tensor:
    """Add the scores to explain; in evaluation mode no image changes another's score, so one gradient serves all."""
    return scores.gather(1, classes[:, None]).sum()


def _scaled_to_one(maps: Tensor) -> Tensor:
    """Divide each map by its highest value; a map of zeros stays so."""
    highest = maps.amax((1, 2), keepdim=True)
    return torch.where(highest > 0, maps / highest, torch.zeros_like(maps)).detach()
