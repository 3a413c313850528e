"""What the last layer of a network is shown: the image as the network sees it."""

from torch import Tensor, nn


def seen_by_last_layer(network: nn.Module, images: Tensor) -> Tensor:
    """Return what the last fully connected layer is shown, axes (image, feature).

    Of a network without one, the mean over space of what its last convolution is shown.
    """
    layers = _layers(network, nn.Linear) or _layers(network, nn.Conv2d, nn.Conv3d)
    shown: list[Tensor] = []
    hook = layers[-1].register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    try:
        network(images)
    finally:
        hook.remove()
    features = shown[-1]
    return features.flatten(2).mean(2) if features.ndim > 2 else features


def _layers(network: nn.Module, *kinds: type[nn.Module]) -> list[nn.Module]:
    return [layer for layer in network.modules() if isinstance(layer, kinds)]
