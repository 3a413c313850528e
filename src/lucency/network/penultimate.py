"""What the last layer of a network is shown: the image as the network sees it."""

from torch import Tensor, nn

from lucency.network.stages import head_of


def seen_by_last_layer(network: nn.Module, images: Tensor, body: nn.Module | None = None) -> Tensor:
    """Return what the last layer is shown, axes (image, feature); of feature maps, their mean over space.

    `body` is the part of `network` that the catalogue built, where something stands in front of it.
    """
    body = body or network
    shown: list[Tensor] = []
    head = body.get_submodule(head_of(body)[0])
    hook = head.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    try:
        network(images)
    finally:
        hook.remove()
    features = shown[-1]
    return features.flatten(2).mean(2) if features.ndim > 2 else features
