"""The plan's part about training: how a network learns."""

from typing import Annotated, Literal

from pydantic import Field

from lucency.domain.section import Section


class EarlyStopping(Section):
    """When to stop because the tuning part no longer gains."""

    patience: Annotated[int, Field(ge=1)] = 10
    """Epochs without a gain on the tuning part before training stops."""


class Training(Section):
    """How the network learns."""

    epochs: Annotated[int, Field(ge=1)] = 30
    """How often the whole training part is seen."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Images per iteration."""
    cost: Literal["cross_entropy", "mse", "mae", "huber", "dice", "dice_cross_entropy", "tversky"] = "cross_entropy"
    """The gap between prediction and truth that training makes small. `cross_entropy` for classes. For numbers the squared error
    (`mse`, the default there), the absolute error (`mae`, which outliers move less), or `huber` (Huber 1964): squared up to one
    standard deviation of the training part, absolute beyond. For outlines `dice` (overlap), `dice_cross_entropy` (the sum of
    both, the default there) or `tversky` (overlap in which a miss weighs more than a false alarm)."""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` lets each class weigh the same in the cost, however rare it is."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target that is spread over all classes, against overconfidence."""
    optimizer: Literal["sgd", "momentum", "adam"] = "adam"
    """`sgd`: plain gradient descent, `momentum`: SGD with momentum, `adam`: a step size for each parameter."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Size of a step against the gradient."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """How much of the last step lives on, for `momentum`."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Pull of the weights towards zero."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """How the learning rate changes: not at all, or down to zero along half a cosine."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    """Epochs in which the learning rate rises from zero to its value."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """When to stop because the tuning part no longer gains; null never stops early."""
    select_by: Literal["measure", "cost"] = "measure"
    """What chooses the best epoch on the tuning part: the `measure` of the task (the AUC for classes, the
    mean absolute error for numbers), or the `cost`. For
    reports `cost`, unless the plan says otherwise."""
    n_members: Annotated[int, Field(ge=1, le=50)] = 1
    """Networks trained from different random beginnings; their mean probability (or number) is the ensemble's answer."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes a GPU where there is one."""
    n_threads: Annotated[int, Field(ge=1)] | None = None
    """Processor threads; null takes all cores. The same number gives the same bits, and for small images one thread costs
    least; for reports it is what is taken unless the plan says otherwise."""
    precision: Literal["32", "bf16", "16"] = "32"
    """Bits of the arithmetic: 32, or mixed with bf16 or 16 on a GPU that has it."""
    speed: Literal["auto", "plain"] = "auto"
    """`auto` computes steps faster than PyTorch does by itself: it lays the channels of a pixel side by side where the network
    gains by it, and keeps memory from step to step where a short trial says so (`training/speed.json`). `plain` leaves all as
    it is; the weights then differ in their last digits."""
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 5.0
    """At most this much work is lost when the power fails."""
