"""The plan's part about the network: its architecture and its architectural hyperparameters."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from lucency.domain.section import Section
from lucency.domain.text_plan import Recurrent


class Activation(StrEnum):
    """The function that makes a layer more than a weighted sum."""

    RELU = "relu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Network(Section):
    """The network and its architectural hyperparameters."""

    architecture: Literal[
        "logistic",
        "fully_connected",
        "lenet5",
        "small_cnn",
        "resnet18",
        "lstm",
        "gru",
        "unet",
        "residual_unet",
        "segresnet",
    ] = "resnet18"
    """For images: `logistic` regression (a baseline), a `fully_connected` network, `lenet5` (LeCun 1998), a `small_cnn`
    that trains in a minute on a CPU, or `resnet18` (He 2016). For reports: `lstm` (Hochreiter and Schmidhuber 1997, the default
    there) or `gru` (Cho 2014). To outline structures: `unet` (Ronneberger 2015 in the form of Isensee 2021, the default
    there), `residual_unet` or `segresnet` (Myronenko 2018)."""
    stem: Literal["auto", "large", "small"] = "auto"
    """How ResNet begins: `large` for images of 64 pixels and more (7×7 kernels, stride 2), `small` for smaller ones."""
    hidden_units: tuple[Annotated[int, Field(ge=1)], ...] = (256, 128)
    """Units in each hidden layer of the fully connected network."""
    n_kernels: tuple[Annotated[int, Field(ge=1)], ...] = (16, 32, 64)
    """Number of kernels in each stage of the small CNN."""
    kernel_size: Annotated[int, Field(ge=1, le=15)] = 3
    """Side of the kernels of the small CNN in pixels (odd)."""
    activation: Activation = Activation.RELU
    """Activation function of the fully connected network, LeNet-5 and the small CNN."""
    pooling: Literal["max", "average"] = "max"
    """Pooling of LeNet-5 and the small CNN."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of features silenced at random before the last layer while training."""
    recurrent: Recurrent = Recurrent()
    """The network that reads reports."""

    @field_validator("kernel_size")
    @classmethod
    def _stay_centred(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("kernel_size must be odd, so that a kernel has a centre")
        return value
