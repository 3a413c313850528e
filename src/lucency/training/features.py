"""What a trained network sees in images: the numbers before its last layer."""

from copy import deepcopy
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lucency.network.stages import remove_head
from lucency.training.device import Device
from lucency.training.examples import Examples
from lucency.training.prediction import predict
from lucency.training.standardised import Standardised


def features_of(network: nn.Module, examples: Examples, device: Device) -> NDArray[np.float64]:
    """Return what the last layer is given of each image, axes (image, feature), in the examples' order."""
    headless = deepcopy(cast(Standardised, network))
    remove_head(headless.network)
    return predict(nn.Sequential(headless, nn.Flatten()), examples, device).numpy().astype(np.float64)
