"""The plan's part about the network: its architecture and its architectural hyperparameters."""

import difflib
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lucency.domain.architectures import ARCHITECTURES, TIMM, architecture_of
from lucency.domain.section import Section
from lucency.domain.text_plan import Recurrent

READING = ("lstm", "gru")
"""Networks that read reports."""
OUTLINING = ("unet", "residual_unet", "segresnet")
"""Networks that outline structures."""
NAMES = (*ARCHITECTURES, *READING, *OUTLINING)


class Activation(StrEnum):
    """The function that makes a layer more than a weighted sum."""

    RELU = "relu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Network(Section):
    """The network and its architectural hyperparameters."""

    architecture: Annotated[
        str, Field(json_schema_extra={"anyOf": [{"enum": [*NAMES]}, {"pattern": f"^{TIMM}\\w+$"}]})
    ] = "resnet18"
    """For images: `logistic` regression (a baseline), a `fully_connected` network, `lenet5` (LeCun 1998), a `small_cnn`
    that trains in a minute on a CPU, `alexnet` (Krizhevsky 2012), `zfnet` (Zeiler 2014), `vgg11`, `vgg16`, `vgg19` (Simonyan
    2014), `googlenet` (Szegedy 2015), `inception_v3` (Szegedy 2016), `resnet18`, `resnet34`, `resnet50`, `resnet101` (He 2016),
    `densenet121`, `densenet169` (Huang 2017), or `timm:` and the name of any network of the library timm, as in
    `timm:convnext_tiny`. For reports: `lstm` (Hochreiter and Schmidhuber 1997, the default there) or `gru` (Cho 2014).
    To outline structures: `unet` (Ronneberger 2015 in the form of Isensee 2021, the default there), `residual_unet` or
    `segresnet` (Myronenko 2018)."""
    volumes: Literal["channels", "slice_by_slice", "3d"] = "channels"
    """How a network sees volumes (`data.image.n_slices`). `channels`: all slices at once, side by side, as the colours of a
    picture. `slice_by_slice` (2.5-D): each slice by itself, then a memory goes through the slices (`slice_memory`,
    `recurrent`). `3d`: kernels that reach across slices."""
    slice_memory: Literal["lstm", "gru", "none"] = "lstm"
    """What goes through the slices of a volume when `volumes: slice_by_slice`; `none` pools them as they are."""
    stem: Literal["auto", "large", "small"] = "auto"
    """How a network begins that was made for photographs: `large` as published (AlexNet 11×11 kernels with stride 4, ResNet
    and DenseNet 7×7 with stride 2 and pooling), `small` with 3×3 kernels and stride 1, which leaves small images their
    detail; `auto` takes the large one where the images are large enough."""
    hidden_units: tuple[Annotated[int, Field(ge=1)], ...] = (256, 128)
    """Units in each hidden layer of the fully connected network."""
    n_kernels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] | None = None
    """Number of kernels in each stage of the small CNN ([16, 32, 64] where null) or of LeNet-5 ([6, 16])."""
    kernel_size: Annotated[int, Field(ge=1, le=15)] | None = None
    """Side of the kernels of the small CNN (3 where null) or of LeNet-5 (5) in pixels (odd)."""
    stride: Annotated[int, Field(ge=1, le=4)] = 1
    """Step of the kernels of the small CNN and of LeNet-5, in pixels; of the small CNN, in the first convolution of a stage."""
    padding: Annotated[int, Field(ge=0, le=7)] | None = None
    """Pixels of zeros around the feature maps of the small CNN (half a kernel where null, which keeps their size) or of
    LeNet-5 (0)."""
    activation: Activation = Activation.RELU
    """Activation function; not for GoogLeNet, Inception v3, DenseNet and networks of timm, which keep their own."""
    pooling: Literal["max", "average"] = "max"
    """Pooling that shrinks feature maps; not for GoogLeNet, Inception v3, DenseNet and networks of timm."""
    batch_norm: bool | None = None
    """Batch normalisation behind each convolution of VGG, AlexNet, ZFNet, LeNet-5 (off where null, as published) and the small
    CNN (on where null). Deep networks learn from random weights far more readily with it."""
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of features silenced at random before the last layer while training (AlexNet, ZFNet and VGG: before each hidden
    one, too). Null is as published: 0.5 for AlexNet, ZFNet, VGG and Inception v3, 0.2 for GoogLeNet, none elsewhere."""
    recurrent: Recurrent = Recurrent()
    """The network that reads reports, or the slices of a volume one after the other."""

    @field_validator("architecture")
    @classmethod
    def _be_known(cls, value: str) -> str:
        if value in NAMES or re.fullmatch(rf"{TIMM}\w+", value):
            return value
        if re.fullmatch(rf"{TIMM}\w+\..*", value):
            raise ValueError(f"what follows the point names weights; write `{value.partition('.')[0]}`")
        close = difflib.get_close_matches(value.lower(), NAMES, n=1, cutoff=0.5)
        hint = f" Did you mean “{close[0]}”?" if close else ""
        raise ValueError(
            f"no network has that name.{hint} There are {', '.join(NAMES)}, and those of timm as `timm:convnext_tiny`"
        )

    @field_validator("kernel_size")
    @classmethod
    def _stay_centred(cls, value: int | None) -> int | None:
        if value is not None and value % 2 == 0:
            raise ValueError("kernel_size must be odd, so that a kernel has a centre")
        return value

    @model_validator(mode="after")
    def _have_what_is_set(self) -> "Network":
        """Refuse a setting that the network does not have, instead of passing over it."""
        if self.architecture not in ARCHITECTURES and not self.architecture.startswith(TIMM):
            return self
        owned = architecture_of(self.architecture).settings
        for name in sorted(SETTINGS_OF_SOME & self.model_fields_set - owned):
            if getattr(self, name) != type(self).model_fields[name].default:
                having = [known for known, one in ARCHITECTURES.items() if name in one.settings]
                raise ValueError(
                    f"{architecture_of(self.architecture).title} has no setting `{name}`; leave it out, or take one that has "
                    f"it: {', '.join(having)}"
                )
        if self.volumes == "3d" and architecture_of(self.architecture).volume is None:
            having = [known for known, one in ARCHITECTURES.items() if one.volume]
            raise ValueError(
                f"{architecture_of(self.architecture).title} has no form in three dimensions; take "
                f"`volumes: slice_by_slice`, or one that has: {', '.join(having)}"
            )
        if self.volumes != "slice_by_slice" and self.slice_memory != "lstm":
            raise ValueError("`slice_memory` is for `volumes: slice_by_slice`; leave it out")
        if self.slice_memory == "none" and self.recurrent.pooling == "last":
            raise ValueError(
                "without a memory the last slice alone would count; take `recurrent.pooling: mean` or `max`"
            )
        return self


SETTINGS_OF_SOME = frozenset[str]().union(*(one.settings for one in ARCHITECTURES.values()))
"""Settings that some networks have and others have not."""
