"""The generator of a study: built, loaded, and asked for numbered images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.randomness import key as counted_key
from lucency.randomness import sample_keys, uniforms
from lucency.study.cohort import classes_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.training.device import Device
    from lucency.training.examples import ImageExamples

WEIGHTS = "training/synthesis/weights.safetensors"


@dataclass(frozen=True)
class Maker:
    """A generator with all that an image is made from."""

    network: "nn.Module"
    device: "Device"
    n_classes: int
    """Classes that it is told; 0 for none."""
    noise_size: int
    seed: int
    dtype: np.dtype
    """Of the store, so that synthetic images have the depth of real ones."""

    def images(self, noise: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray:
        """Make images of noise, axes (image, number), and of classes, as the store holds them."""
        import torch

        from lucency.training.imagining import imagine

        return imagine(self.network, noise, torch.from_numpy(targets), self.n_classes, self.device, self.dtype)

    def numbered(self, numbers: NDArray[np.int64], targets: NDArray[np.int64], purpose: str) -> NDArray:
        """Make the images of some numbers: each depends on its number, its class and the purpose, and on no other image."""
        from lucency.training.imagining import noise_of

        return self.images(noise_of(numbers, self.seed, purpose, self.noise_size), targets)


def n_told(study: Study) -> int:
    """Count the classes that the two networks are told: all, or none."""
    return len(classes_of(study)) if study.plan.synthesis.conditional else 0


def untrained_rivals(study: Study) -> "tuple[nn.Module, nn.Module]":
    """Build both networks with initial weights that depend on the seed alone."""
    import torch

    from lucency.network.gan import ADVERSARIES

    settings, image = study.plan.synthesis, study.plan.data.image
    makes, judges = ADVERSARIES[settings.model]
    torch.manual_seed(counted_key(study.plan.seed, "initial weights of rivals") >> 1)
    told = n_told(study)
    return makes(settings, image.n_channels, image.shape, told), judges(settings, image.n_channels, image.shape, told)


def load_maker(study: Study) -> Maker:
    """Load the generator that the study kept."""
    from safetensors.torch import load_file

    from lucency.training.device import fix_arithmetic, make_device

    fix_arithmetic(study.plan.training)
    network, _ = untrained_rivals(study)
    network.load_state_dict(load_file(study.folder.path / WEIGHTS))
    device = make_device(study.plan.training)
    return maker_of(study, device.setup(network), device)


def maker_of(study: Study, network: "nn.Module", device: "Device") -> Maker:
    """Put a generator together with what its images are made from."""
    from lucency.data.store import open_store

    dtype = open_store(study.folder.path / "store").images.dtype
    return Maker(network, device, n_told(study), study.plan.synthesis.noise_size, study.plan.seed, dtype)


def drawn_classes(numbers: NDArray[np.int64], shares: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Draw the class of numbered images, as frequent as in the training part, axis (image)."""
    drawn = uniforms(seed, "class of synthetic images", 0, numbers.astype(np.uint64), 1)[:, 0]
    return np.searchsorted(np.cumsum(shares)[:-1], drawn, "right").astype(np.int64)


def as_examples(images: NDArray, targets: NDArray[np.int64]) -> "ImageExamples":
    """Let synthetic images be looked at, and learnt from, as real ones are."""
    import torch

    from lucency.training.examples import ImageExamples

    names = [synthetic_id(number) for number in range(1, len(images) + 1)]
    return ImageExamples(images, np.arange(len(images)), torch.from_numpy(targets), sample_keys(names))


def synthetic_id(number: int) -> str:
    """Name a synthetic image, so that nobody takes it for a patient's."""
    return f"synthetic-{number:06d}"
