"""The plan's part about transfer learning: weights that others have trained, and how much of them learns on."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lucency.domain.section import File, Section

PACKAGED = "efficientnet-lite0"
"""ImageNet weights that lie inside a Python package, for use without any download."""
PACKAGED_ARCHITECTURE = "timm:tf_efficientnet_lite0"


class Transfer(Section):
    """Transfer learning: the network begins with weights that were trained on other images, and gets a new last layer."""

    weights: str | None = None
    """Published weights by their name: `imagenet` for the ImageNet weights of whatever network the plan names (what is taken
    unless `file` or `study` is given), or `efficientnet-lite0`, which lie in the Python package of the extra `pretrained` and
    need no download. `lucency weights` lists all."""
    file: File | None = None
    """A file of weights in place of published ones: safetensors, or a state dict of torch."""
    study: File | None = None
    """The folder of a finished study, whose first network is taken."""
    folder: File | None = None
    """Where downloads are kept and looked for. Null: the folder that the environment variable LUCENCY_WEIGHTS names, or the
    cache of this system."""
    unfreeze: Literal["head", "all"] | Annotated[int, Field(ge=1)] = "all"
    """What learns on: the new last layer alone (`head`), that and so many of the last stages (a number), or `all`. What is
    frozen stays exactly as it was, its batch normalisation included."""
    thaw_epochs: Annotated[int, Field(ge=1)] | None = None
    """Staged thaw: training begins with the last layer alone, and after each so many epochs one more stage learns, up to what
    `unfreeze` allows. Null: all of that learns from the first epoch."""
    rate_factor: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Each stage learns at so much of the rate of the stage behind it, because early stages need to change least (1/2.6 in
    Howard and Ruder 2018); 1 for one rate everywhere."""
    normalisation: Literal["auto", "weights", "own"] = "auto"
    """How grey levels are scaled: as the `weights` are used to, or to the mean and standard deviation of one's `own`
    training part. `auto`: as the weights where that is known."""

    @model_validator(mode="before")
    @classmethod
    def _take_imagenet(cls, value: Any) -> Any:
        named = isinstance(value, dict) and any(value.get(name) for name in ("weights", "file", "study"))
        return value | {"weights": "imagenet"} if isinstance(value, dict) and not named else value

    @model_validator(mode="after")
    def _begin_from_one(self) -> "Transfer":
        if sum(source is not None for source in (self.weights, self.file, self.study)) > 1:
            raise ValueError("a network begins from one of `weights`, `file` and `study`; leave the others out")
        if self.thaw_epochs and self.unfreeze == "head":
            raise ValueError("`thaw_epochs` thaws more than the head; set `unfreeze` to `all` or to a number of stages")
        return self


class TransferCurve(Section):
    """The learning curve of `lucency transfer-curve`: training from scratch against transfer, by number of patients."""

    patients: tuple[Annotated[int, Field(ge=10)], ...] = (100, 300, 1000)
    """Numbers of training patients; each smaller group is part of the larger ones."""
    repeats: Annotated[int, Field(ge=1, le=50)] = 3
    """How often the whole is repeated with other patients and other initial weights."""
    epochs: Annotated[int, Field(ge=1)] | None = None
    """How often each network sees its images at most; null takes `training.epochs`. The same for both ways."""

    @model_validator(mode="after")
    def _grow(self) -> "TransferCurve":
        if not self.patients or any(a >= b for a, b in zip(self.patients, self.patients[1:], strict=False)):
            raise ValueError("give numbers of `patients` that grow, for example [100, 300, 1000]")
        return self
