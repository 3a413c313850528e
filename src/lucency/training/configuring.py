"""Choose what the plan of a segmentation leaves open, from the training part and the machine, and say why.

After nnU-Net (Isensee 2021): the spacing is that of a usual image; the patch is as large as a usual image, or as the memory
allows; the U-Net goes down until 4 pixels are left, and not along an axis that is coarse already. Unlike there, a
network on a CPU is narrower and sees smaller patches, because time is what is short then.
"""

from dataclasses import dataclass

import numpy as np

from lucency.data.cohort_fingerprint import CohortFingerprint
from lucency.domain.data_plan import Image
from lucency.domain.segmentation import Choice, Configuration, GreyScale
from lucency.domain.segmentation_plan import Segmentation
from lucency.errors import PlanError

_LEAST_SIDE = 4
"""Pixels that are left along each axis at the coarsest stage."""
_ANISOTROPIC = 3.0
"""From this ratio of the coarsest to the finest spacing on, slices count as thick (Isensee 2021)."""
_MOST_PATCHES = 8
_MOST_STAGES = {2: 7, 3: 6}
_FEATURES = {"cpu": 16, "cuda": 32}
_MOST_VOXELS = {"cpu": 2**18, "cuda": 2**22}
"""Of one patch: on a CPU 64³ or 512²."""
_MOST_BATCH = {("cpu", 2): 8, ("cpu", 3): 2, ("cuda", 2): 64, ("cuda", 3): 16}
_LEAST_BATCH = 2
_BYTES_PER_FEATURE = 150
"""Memory that training takes for each voxel of a patch and each kernel of the first stage, as measured on U-Nets."""


@dataclass(frozen=True)
class Machine:
    """Where networks will be trained."""

    device: str
    """cpu or cuda."""
    free_gb: float


@dataclass(frozen=True)
class _Patch:
    size: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    reason: str


def configure(
    structures: tuple[str, ...], fingerprint: CohortFingerprint, image: Image, plan: Segmentation, machine: Machine
) -> Configuration:
    """Choose everything; what the plan names stays as it is.

    Raises:
        PlanError: what the plan names does not go together.
    """
    n_axes = fingerprint.shapes.shape[1]
    choices: list[Choice] = []
    spacing = _spacing(fingerprint, image, choices) if n_axes == 3 else None
    scale = _grey_scale(fingerprint, image, plan, choices) if n_axes == 3 else GreyScale("stored")
    usual = _usual_shape(fingerprint, spacing)
    n_features = plan.n_features or _FEATURES[machine.device]
    choices.append(_told("n_features", n_features, plan.n_features, f"a usual width on a {_called(machine.device)}"))
    memory_gb = plan.memory_gb or machine.free_gb / 2
    choices.append(
        _told("memory_gb", f"{memory_gb:.1f}", plan.memory_gb, f"half of the {machine.free_gb:.1f} GB that were free")
    )
    most_voxels = int(memory_gb * 1e9 / (_BYTES_PER_FEATURE * n_features * _LEAST_BATCH))
    patch = _patch(usual, spacing, plan, min(most_voxels, _MOST_VOXELS[machine.device]))
    choices.append(_told("patch_size", _by(patch.size), plan.patch_size, patch.reason))
    choices.append(
        _told(
            "n_stages",
            len(patch.strides),
            plan.n_stages,
            f"halving as long as at least {_LEAST_SIDE} pixels are left along each axis that is not coarser than the others",
        )
    )
    features = tuple(min(n_features * 2**stage, plan.most_features) for stage in range(len(patch.strides)))
    batch_size = plan.batch_size or _batch_size(patch, n_features, memory_gb, fingerprint, machine)
    choices.append(
        _told("batch_size", batch_size, plan.batch_size, "as many as the memory takes, within what suits the machine")
    )
    per_image = plan.patches_per_image or min(_MOST_PATCHES, max(1, round(np.prod(usual) / np.prod(patch.size))))
    choices.append(
        _told("patches_per_image", per_image, plan.patches_per_image, f"a usual image has {_by(usual)} pixels")
    )
    return Configuration(
        structures=structures,
        spacing_mm=spacing,
        grey_scale=scale,
        patch_size=patch.size,
        features=features,
        strides=patch.strides,
        kernel_sizes=_kernels(patch, spacing),
        batch_size=batch_size,
        patches_per_image=per_image,
        choices=tuple(choices),
    )


def _spacing(fingerprint: CohortFingerprint, image: Image, choices: list[Choice]) -> tuple[float, float, float] | None:
    if image.spacing_mm != "auto":
        choices.append(_told("spacing_mm", _by(image.spacing_mm), image.spacing_mm, ""))
        return image.spacing_mm
    spacings = fingerprint.spacings_mm
    if spacings is None:
        choices.append(_told("spacing_mm", "as stored", None, "not all files tell how far apart their voxels lie"))
        return None
    target, reason = np.median(spacings, axis=0), "the median of the training part"
    coarsest = int(target.argmax())
    if target.max() / target.min() > _ANISOTROPIC:
        target[coarsest] = np.percentile(spacings[:, coarsest], 10)
        reason += ", along the coarsest axis the 10th percentile, so that thin slices keep their detail"
    rounded = (round(float(target[0]), 4), round(float(target[1]), 4), round(float(target[2]), 4))
    choices.append(_told("spacing_mm", f"{_by(rounded)} mm", None, reason))
    return rounded


def _grey_scale(fingerprint: CohortFingerprint, image: Image, plan: Segmentation, choices: list[Choice]) -> GreyScale:
    rule, asked = plan.grey_levels, None if plan.grey_levels == "auto" else plan.grey_levels
    if rule == "auto":
        rule = "window" if isinstance(image.window, tuple) else "foreground" if fingerprint.foreground else "own_range"
    if rule == "window":
        if not isinstance(image.window, tuple):
            raise PlanError("`segmentation.grey_levels: window` needs `data.image.window` in numbers, as in [40, 400].")
        centre, width = image.window
        scale, reason = GreyScale("between", centre - width / 2, centre + width / 2), "the window of the plan"
    elif rule == "foreground":
        if fingerprint.foreground is None:
            raise PlanError(
                "`segmentation.grey_levels: foreground` is for Hounsfield units, which these volumes do not all have. Take "
                "`own_range`."
            )
        scale = GreyScale("between", *fingerprint.foreground)
        reason = "what the structures of the training part hold, from the 0.5th to the 99.5th percentile"
    else:
        scale, reason = GreyScale("own_range"), "the values have no common unit, so that each volume has its own range"
    value = rule if scale.rule == "own_range" else f"{rule}: {scale.low:g} to {scale.high:g}"
    choices.append(_told("grey_levels", value, asked, reason))
    return scale


def _usual_shape(fingerprint: CohortFingerprint, spacing: tuple[float, float, float] | None) -> tuple[int, ...]:
    """Return the median shape of the training images at the spacing that networks work on."""
    shapes = fingerprint.shapes.astype(float)
    if spacing is not None and fingerprint.spacings_mm is not None:
        shapes = shapes * fingerprint.spacings_mm / np.array(spacing)
    return tuple(max(1, round(side)) for side in np.median(shapes, axis=0))


def _patch(
    usual: tuple[int, ...], spacing: tuple[float, float, float] | None, plan: Segmentation, most_voxels: int
) -> _Patch:
    """Choose the patch and the stages together: each side has to be halved as often as the stages do."""
    if plan.patch_size:
        if len(plan.patch_size) != len(usual):
            kind = "volumes need [slices, rows, columns]" if len(usual) == 3 else "pictures need [rows, columns]"
            raise PlanError(f"`segmentation.patch_size` has {len(plan.patch_size)} numbers; {kind}.")
        strides = _strides(plan.patch_size, spacing, plan.n_stages)
        divisors = np.prod(strides, axis=0)
        if any(side % divisor for side, divisor in zip(plan.patch_size, divisors, strict=True)):
            raise PlanError(
                f"`segmentation.patch_size` {_by(plan.patch_size)} cannot be halved as often as {len(strides)} stages do; take "
                f"multiples of {_by(divisors)}, or fewer `n_stages`."
            )
        return _Patch(tuple(plan.patch_size), strides, "")
    size, reason = np.array(usual), "as large as a usual image of the training part"
    while True:
        strides = _strides(tuple(size), spacing, plan.n_stages)
        divisors = np.prod(strides, axis=0)
        rounded = -(-size // divisors) * divisors
        if rounded.prod() <= most_voxels or (size <= 2 * _LEAST_SIDE).all():
            return _Patch(tuple(int(side) for side in rounded), strides, reason)
        # the side that covers most of a usual image gives way first
        share = np.where(size > 2 * _LEAST_SIDE, size / np.array(usual), 0)
        size = size.copy()
        size[share.argmax()] = max(int(size[share.argmax()] * 0.9), 2 * _LEAST_SIDE)
        reason = "as much of a usual image of the training part as memory and time allow"


def _strides(
    size: tuple[int, ...], spacing: tuple[float, float, float] | None, n_stages: int | None
) -> tuple[tuple[int, ...], ...]:
    """Return how much coarser each stage is than the one before; axes that are coarse already wait for the others."""
    sides = np.array(size, float)
    spacings = np.array(spacing or (1.0,) * len(size))
    strides = [(1,) * len(size)]
    most = n_stages or _MOST_STAGES[len(size)]
    while len(strides) < most:
        can_halve = sides / 2 >= _LEAST_SIDE
        if not can_halve.any():
            break
        halved = can_halve & (spacings < 2 * spacings[can_halve].min())
        step = np.where(halved, 2, 1)
        strides.append(tuple(int(one) for one in step))
        sides, spacings = sides / step, spacings * step
    if n_stages and len(strides) < n_stages:
        raise PlanError(
            f"`segmentation.n_stages: {n_stages}` leaves fewer than {_LEAST_SIDE} pixels of {_by(size)}; take at most "
            f"{len(strides)}, or a larger `patch_size`."
        )
    return tuple(strides)


def _kernels(patch: _Patch, spacing: tuple[float, float, float] | None) -> tuple[tuple[int, ...], ...]:
    """Return kernels of 3 voxels, but of 1 along an axis that is still more than twice as coarse as the finest."""
    spacings = np.array(spacing or (1.0,) * len(patch.size))
    kernels = []
    for stride in patch.strides:
        spacings = spacings * np.array(stride)
        kernels.append(tuple(1 if mm >= 2 * spacings.min() else 3 for mm in spacings))
    return tuple(kernels)


def _batch_size(
    patch: _Patch, n_features: int, memory_gb: float, fingerprint: CohortFingerprint, machine: Machine
) -> int:
    """Take what the memory holds, but no more than a twentieth of all voxels, so that there are many steps an epoch."""
    fits = int(memory_gb * 1e9 / (_BYTES_PER_FEATURE * n_features * np.prod(patch.size)))
    of_all = int(0.05 * fingerprint.shapes.prod(axis=1).sum() / np.prod(patch.size))
    most = _MOST_BATCH[machine.device, len(patch.size)]
    return max(_LEAST_BATCH, min(fits, of_all, most))


def _told(name: str, value: object, asked: object, reason: str) -> Choice:
    is_from_plan = asked is not None
    return Choice(name, str(value), "the plan says so" if is_from_plan else reason, is_from_plan)


def _called(device: str) -> str:
    return {"cpu": "processor (CPU)", "cuda": "GPU"}[device]


def _by(sides: "tuple[float, ...] | np.ndarray") -> str:
    return " × ".join(f"{side:g}" for side in sides)
