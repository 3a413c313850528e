"""Augmentation beside MONAI, TorchIO, torchvision, albumentations and kornia: `python -m benchmarks.augmentation`.

One chain for all, each written as its library's own documentation would: flip with probability ½, rotation ±10°, zoom
0.9 to 1.1, shift ±10 %, Gaussian blur of up to 1 pixel, contrast, one erased rectangle with probability ½. From a
batch of uint8 images, as a store holds them, to a batch of float32 tensors, as a network wants them; one thread.
"""

import importlib.util
import itertools
import math
import os
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.side_by_side import Candidate, items_per_second, print_table
from lucency.data.augmentation import Batch, make_augmenter
from lucency.domain.augmentation_plan import NO_AUGMENTATION

Shape = tuple[int, ...]
Job = Callable[[], object]

CHAIN = NO_AUGMENTATION.model_copy(
    update={
        "flip_horizontal": 0.5,
        "rotate_degrees": 10.0,
        "zoom": (0.9, 1.1),
        "shift": 0.1,
        "blur_pixels": 1.0,
        "contrast": (0.8, 1.25),
        "erase": 0.5,
    }
)


def lucency(images: Tensor) -> Job:
    """Augment the batch as a whole."""
    augment = make_augmenter(CHAIN, seed=1)
    keys = np.arange(len(images), dtype=np.uint64)
    epochs = itertools.count()
    return lambda: augment(Batch(images), keys, next(epochs)).images


def monai(images: Tensor) -> Job:
    """Compose array transforms on one tensor after another."""
    from monai import transforms

    shape = images.shape[2:]
    angle = math.radians(10)
    compose = transforms.Compose(
        [
            transforms.RandFlip(prob=0.5, spatial_axis=len(shape) - 1),
            transforms.RandAffine(
                prob=1,
                rotate_range=angle if len(shape) == 2 else (angle, 0, 0),
                translate_range=[0.1 * size for size in shape],
                scale_range=[0.1] * len(shape),
                spatial_size=tuple(shape),
                padding_mode="zeros",
                cache_grid=True,
            ),
            transforms.RandGaussianSmooth((0.01, 1), (0.01, 1), (0.01, 1), prob=1),
            transforms.RandScaleIntensityFixedMean(prob=1, factors=0.25),
            transforms.RandCoarseDropout(
                holes=1,
                spatial_size=[int(0.15 * size) for size in shape],
                max_spatial_size=[int(0.45 * size) for size in shape],
                fill_value=0,
                prob=0.5,
            ),
        ]
    )
    return lambda: torch.stack([compose(image.float() / 255).as_tensor() for image in images])


def torchio(images: Tensor) -> Job:
    """Compose transforms on one four-dimensional tensor after another; slices stand last."""
    import torchio as tio

    is_volume = images.ndim == 5
    shape = images.shape[2:]
    shift = [0.1 * size for size in shape] if is_volume else [0.1 * shape[0], 0.1 * shape[1], 0]
    compose = tio.Compose(
        [
            tio.RandomFlip(axes=1, flip_probability=0.5),
            tio.RandomAffine(
                scales=(0.9, 1.1),
                isotropic=True,
                degrees=(0, 0, 0, 0, -10, 10),
                translation=tuple(itertools.chain(*[(-size, size) for size in shift])),
                default_pad_value=0,
            ),
            tio.RandomBlur(std=(0, 1)),
            tio.RandomGamma(log_gamma=(-0.2, 0.2)),
        ]
    )
    axes = (0, 2, 3, 1) if is_volume else (0, 1, 2)

    def run() -> Tensor:
        prepared = (image.float() / 255 for image in images)
        if is_volume:
            return torch.stack([compose(image.permute(axes)).permute(0, 3, 1, 2) for image in prepared])
        return torch.stack([compose(image.unsqueeze(-1)).squeeze(-1) for image in prepared])

    return run


def torchvision(images: Tensor) -> Job:
    """Compose transforms.v2 on one tensor after another, because each call draws once for all it is given."""
    from torchvision.transforms import v2

    compose = v2.Compose(
        [
            v2.ToDtype(torch.float32, scale=True),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomAffine(10, (0.1, 0.1), (0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR),
            v2.GaussianBlur(7, (0.01, 1.0)),
            v2.ColorJitter(contrast=(0.8, 1.25)),
            v2.RandomErasing(0.5, (0.02, 0.2)),
        ]
    )
    return lambda: torch.stack([compose(image) for image in images])


def albumentations(images: Tensor) -> Job:
    """Compose transforms on one uint8 array after another, its fastest kind of image, and scale at the end."""
    import albumentations as alb
    import cv2

    cv2.setNumThreads(1)
    compose = alb.Compose(
        [
            alb.HorizontalFlip(p=0.5),
            alb.Affine(scale=(0.9, 1.1), translate_percent=(-0.1, 0.1), rotate=(-10, 10), p=1),
            alb.GaussianBlur(blur_limit=0, sigma_limit=(0.01, 1.0), p=1),
            alb.RandomBrightnessContrast(brightness_limit=0, contrast_limit=(-0.2, 0.25), p=1),
            alb.Erasing(scale=(0.02, 0.2), p=0.5),
        ]
    )
    arrays = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())

    def run() -> Tensor:
        changed = np.stack([compose(image=image)["image"] for image in arrays])
        return torch.from_numpy(changed).permute(0, 3, 1, 2).to(torch.float32, copy=True) / 255

    return run


def kornia(images: Tensor) -> Job:
    """Augment the batch as a whole; for volumes, what exists in two dimensions only takes slices as channels."""
    import kornia.augmentation as aug

    look = torch.nn.Sequential(
        aug.RandomGaussianBlur((7, 7), (0.01, 1.0), p=1),
        aug.RandomContrast((0.8, 1.25), p=1),
        aug.RandomErasing((0.02, 0.2), p=0.5),
    )
    if images.ndim == 4:
        movement = torch.nn.Sequential(
            aug.RandomHorizontalFlip(p=0.5),
            aug.RandomAffine(10, (0.1, 0.1), (0.9, 1.1), p=1),
        )
        return lambda: look(movement(images.float() / 255))
    movement = torch.nn.Sequential(
        aug.RandomHorizontalFlip3D(p=0.5),
        aug.RandomAffine3D(((0, 0), (0, 0), (-10, 10)), (0.1, 0.1, 0.1), (0.9, 1.1), p=1),
    )
    return lambda: look(movement(images.float() / 255).squeeze(1)).unsqueeze(1)


PEERS = {
    "MONAI": ("monai", monai, {2: "", 3: ""}),
    "TorchIO": ("torchio", torchio, {2: "no erasing", 3: "no erasing"}),
    "torchvision v2": ("torchvision", torchvision, {2: ""}),
    "albumentations": ("albumentations", albumentations, {2: "uint8 inside"}),
    "kornia": ("kornia", kornia, {2: "", 3: "blur within the slices only"}),
}
"""Name → module to look for, the function that prepares its job, and a remark for each number of axes that it can."""


def compare(title: str, unit: str, shape: Shape) -> None:
    """Time all that are installed on one batch of this shape, and print the table."""
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    candidates = [Candidate("**lucency**", lucency(images), len(images))]
    for name, (module, prepare, remarks) in PEERS.items():
        if images.ndim - 2 not in remarks:
            continue
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed and left out; `pip install '.[bench]'` brings it.")
            continue
        candidates.append(Candidate(name, prepare(images), len(images), remarks[images.ndim - 2]))
    print_table(title, unit, candidates, items_per_second(candidates))


def main() -> None:
    """Measure at the three sizes."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # a benchmark makes no outbound connection
    warnings.simplefilter("ignore")  # deprecations of the peers are not ours to tell
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    print("Augmentation on one core: flip, rotation, zoom, shift, blur, contrast, erasing.")
    compare("28 × 28, batches of 128", "images/s", (128, 1, 28, 28))
    compare("224 × 224, batches of 32", "images/s", (32, 1, 224, 224))
    compare("64 × 64 × 64, batches of 4", "volumes/s", (4, 1, 64, 64, 64))


if __name__ == "__main__":
    main()
