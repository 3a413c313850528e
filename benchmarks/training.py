"""One epoch beside a plain loop, and what augmentation costs of a training step: `python -m benchmarks.training`.

All candidates train the same network on the same images at 28 × 28, on one thread, without augmentation: ours, a plain
loop on tensors that were prepared before the clock ran, the same loop through Fabric, and one on a DataLoader as
MedMNIST's recipe has it.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.side_by_side import Candidate, items_per_second, print_table
from lucency.data.augmentation import Batch, make_augmenter
from lucency.domain.plan import Augmentation, Network, Training
from lucency.domain.progress import Silence
from lucency.network.catalogue import build
from lucency.training.class_course import class_course
from lucency.training.examples import ImageExamples
from lucency.training.loop import train_member
from lucency.training.standardised import Standardised

BATCH = 128
Make = Callable[[], nn.Module]


class Images(Dataset):
    """Images as MedMNIST hands them out: one at a time, turned to a tensor and normalised."""

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        self.images, self.targets = images, targets

    def __len__(self) -> int:
        """Count the images."""
        return len(self.targets)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Prepare one image."""
        return torch.from_numpy(self.images[number]).float().div(255).sub(0.5).div(0.5), int(self.targets[number])


def ours(make: Make, images: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    """Train one epoch as a study does: from the store, with history, checkpoint and two tuning images."""

    def examples(rows: np.ndarray) -> ImageExamples:
        return ImageExamples(images, rows, torch.from_numpy(targets[rows]), rows.astype(np.uint64))

    course = class_course(
        title="",
        settings=Training(epochs=1, batch_size=BATCH, early_stopping=None),
        training=examples(np.arange(len(images))),
        tuning=examples(np.array([0, 1])),
        n_classes=2,
        augment=None,
        score=lambda *_: 0.5,
        seed=1,
        key="benchmark",
    )

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            train_member(Standardised(make(), 1), course, Path(folder), Silence())

    return run


def plain(make: Make, images: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    """Train one epoch in the shortest loop there is."""
    prepared, answers = torch.from_numpy(images).float().div(255).sub(0.5).div(0.5), torch.from_numpy(targets)

    def run() -> None:
        network = make().train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        for rows in torch.randperm(len(prepared)).split(BATCH):
            cost = F.cross_entropy(network(prepared[rows]), answers[rows])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()

    return run


def fabric(make: Make, images: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    """Train one epoch through Fabric."""
    from lightning_fabric import Fabric

    prepared, answers = torch.from_numpy(images).float().div(255).sub(0.5).div(0.5), torch.from_numpy(targets)
    device = Fabric(accelerator="cpu", devices=1)

    def run() -> None:
        network = make().train()
        network, optimizer = device.setup(network, torch.optim.AdamW(network.parameters(), 1e-3))
        for rows in torch.randperm(len(prepared)).split(BATCH):
            cost = F.cross_entropy(network(prepared[rows]), answers[rows])
            optimizer.zero_grad()
            device.backward(cost)
            optimizer.step()

    return run


def data_loader(make: Make, images: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    """Train one epoch on a DataLoader that prepares image by image."""

    def run() -> None:
        network = make().train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        for some, answers in DataLoader(Images(images, targets), BATCH, shuffle=True):
            cost = F.cross_entropy(network(some), answers)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()

    return run


def compare(title: str, make: Make, n_images: int, n_rounds: int) -> None:
    """Time one epoch of one network."""
    draw = np.random.default_rng(1)
    images = draw.integers(0, 256, (n_images, 1, 28, 28), dtype=np.uint8)
    targets = np.arange(n_images) % 2
    candidates = [
        Candidate(words, train(make, images, targets), n_images)
        for words, train in (
            ("**lucency** (with history and checkpoint)", ours),
            ("plain loop on prepared tensors", plain),
            ("the same through Fabric", fabric),
            ("DataLoader, image by image", data_loader),
        )
    ]
    print_table(title, "images/s", candidates, items_per_second(candidates, n_rounds, seconds=0.01))


def share_of_augmentation() -> None:
    """Print what the default augmentation costs beside the training step that it feeds."""
    print(
        "\n### Augmentation as a share of the training step\n\n| network | size | step, ms/image | augmentation | share |"
    )
    print("|:--|--:|--:|--:|--:|")
    augment = make_augmenter(Augmentation(), 1)
    for architecture, size, n in (
        ("lenet5", 28, 128),
        ("small_cnn", 28, 128),
        ("resnet18", 28, 16),
        ("lenet5", 224, 32),
        ("small_cnn", 224, 8),
        ("resnet18", 224, 8),
    ):
        images = torch.randint(0, 256, (n, 1, size, size), dtype=torch.uint8)
        targets, keys = torch.arange(n) % 2, np.arange(n, dtype=np.uint64)
        network = build(Network.model_validate({"architecture": architecture}), 1, (size, size), 2)
        network = network.to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        changed = augment(Batch(images), keys, 0).images

        def step(
            network: nn.Module = network,
            optimizer: torch.optim.Optimizer = optimizer,
            changed: Tensor = changed,
            targets: Tensor = targets,
        ) -> None:
            optimizer.zero_grad()
            F.cross_entropy(network(changed), targets).backward()
            optimizer.step()

        def change(images: Tensor = images, keys: np.ndarray = keys) -> None:
            augment(Batch(images), keys, 0)

        both = [Candidate("step", step, n), Candidate("augmentation", change, n)]
        step_rate, change_rate = items_per_second(both, n_rounds=5)
        total = 1 / step_rate + 1 / change_rate
        print(
            f"| {architecture} | {size} | {1e3 / step_rate:.3f} | {1e3 / change_rate:.3f} | {1 / change_rate / total:.1%} |"
        )


def main() -> None:
    """Print all tables."""
    with contextlib.suppress(RuntimeError):
        torch.set_num_threads(1)

    def network(architecture: str) -> Make:
        settings = Network.model_validate({"architecture": architecture})
        return lambda: build(settings, 1, (28, 28), 2)

    started = time.monotonic()
    compare("One epoch of LeNet-5 at 28 × 28", network("lenet5"), 4708, n_rounds=9)
    compare("One epoch of ResNet-18 at 28 × 28", network("resnet18"), 512, n_rounds=3)
    share_of_augmentation()
    print(f"\n{time.monotonic() - started:.0f} s, one thread, processor time, medians of alternating rounds")


if __name__ == "__main__":
    main()
