"""A training step beside the default PyTorch loop of the same network: `python -m benchmarks.training_steps`.

Each candidate has a process of its own, since the memory allocator is one for the whole process; they take turns step by step,
so that a slow spell of the machine strikes all. Processor time on one thread; the median over the steps. Ours trains with
the default augmentation, the default loop without any.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A network with the images that it learns from."""

    title: str
    network: str
    shape: tuple[int, ...]
    """Axes ([slice,] row, column)."""
    batch_size: int


SETTINGS = (
    Setting("ResNet-18, 28 × 28", "resnet18", (28, 28), 64),
    Setting("ResNet-50, 224 × 224", "resnet50", (224, 224), 8),
    Setting("DenseNet-121, 224 × 224", "densenet121", (224, 224), 8),
    Setting("U-Net, 256 × 256", "unet", (256, 256), 4),
    Setting("U-Net, 40 × 56 × 40", "unet", (40, 56, 40), 2),
)
CANDIDATES = ("lucency, augmented", "channels last alone", "pages kept alone", "default loop")


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--steps", type=int, default=7)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--only", default="")
    chosen = arguments.parse_args()
    print("\n### A training step, seconds of processor time\n")
    print("| | " + " | ".join(CANDIDATES) + " | ours is faster by | page faults a step, ours and default |")
    print("|:--|" + "--:|" * (len(CANDIDATES) + 2), flush=True)
    for setting in SETTINGS:
        if chosen.only in setting.title:
            print(_row(setting, chosen.steps, chosen.threads), flush=True)


def _row(setting: Setting, n_steps: int, n_threads: int) -> str:
    times, faults = _take_turns(setting, n_steps, n_threads)
    medians = [statistics.median(one) for one in times]
    cells = " | ".join(f"{median:.3f}" for median in medians)
    return f"| {setting.title} | {cells} | {medians[-1] / medians[0]:.2f} × | {faults[0]:,} and {faults[-1]:,} |"


def _take_turns(setting: Setting, n_steps: int, n_threads: int) -> tuple[list[list[float]], list[int]]:
    """Let each candidate do a step in turn; return their times, and the page faults of the last step."""
    os.environ["OMP_NUM_THREADS"] = str(n_threads)
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    for candidate in CANDIDATES:
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=_work, args=(theirs, setting, candidate, n_threads), daemon=True))
        processes[-1].start()
        theirs.close()  # so that a candidate that dies, for want of memory, ends the wait
        ends.append(ours)
        ours.recv()  # ready, after its first steps
    times: list[list[float]] = [[] for _ in CANDIDATES]
    faults = [0] * len(CANDIDATES)
    for _ in range(n_steps):
        for number, end in enumerate(ends):
            end.send("step")
            seconds, faults[number] = end.recv()
            times[number].append(seconds)
    for end, process in zip(ends, processes, strict=True):
        end.send("stop")
        process.join()
    return times, faults


def _work(end: Connection, setting: Setting, candidate: str, n_threads: int) -> None:
    """Do a step whenever asked to, and tell how long it took."""
    import torch

    torch.set_num_threads(n_threads)
    step = _make_step(setting, candidate)
    for _ in range(2):
        step()
    end.send("ready")
    while end.recv() == "step":
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.process_time()
        step()
        seconds = time.process_time() - started
        end.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))


def _make_step(setting: Setting, candidate: str) -> Callable[[], object]:
    import numpy as np
    import torch
    from torch.nn import functional as F

    from lucency.data.augmentation import Batch, make_augmenter
    from lucency.domain.plan import Augmentation
    from lucency.training.device import OneDevice
    from lucency.training.memory import keep_pages

    torch.manual_seed(1)
    network = _network(setting).train()
    if candidate == "channels last alone":
        three = len(setting.shape) == 3
        network = network.to(memory_format=torch.channels_last_3d if three else torch.channels_last)
    if candidate == "pages kept alone":
        keep_pages()
    if candidate == CANDIDATES[0]:
        keep_pages()
        network = OneDevice("cpu").setup(network)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    images = torch.randint(0, 256, (setting.batch_size, 1, *setting.shape), dtype=torch.uint8)
    targets = _targets(setting)
    augment = make_augmenter(Augmentation(), 1) if candidate == CANDIDATES[0] else None
    keys, epoch = np.arange(setting.batch_size, dtype=np.uint64), iter(range(10**9))

    def step() -> None:
        if augment is not None:
            masks = targets.byte() if setting.network == "unet" else None
            changed = augment(Batch(images, masks), keys, next(epoch))
            shown, truth = changed.images, targets if masks is None else changed.masks.long()
        else:
            shown, truth = images.float().div(255), targets
        cost = F.cross_entropy(network(shown), truth)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

    return step


def _network(setting: Setting) -> Any:
    import torch
    import torchvision

    if setting.network == "unet":
        from lucency.network.unet import Unet, UnetShape

        n = len(setting.shape)
        features = (32, 64, 128, 256, 512) if n == 2 else (16, 32, 64, 128)
        strides = ((1,) * n, *((2,) * n for _ in features[1:]))
        return Unet(UnetShape(1, 3, features, strides, tuple((3,) * n for _ in features)))
    network = getattr(torchvision.models, setting.network)(num_classes=2)
    if setting.network == "densenet121":
        network.features.conv0 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    else:
        small = min(setting.shape) < 64
        network.conv1 = torch.nn.Conv2d(1, 64, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False)
        if small:
            network.maxpool = torch.nn.Identity()
    return network


def _targets(setting: Setting) -> Any:
    import torch

    if setting.network == "unet":
        return torch.randint(0, 3, (setting.batch_size, *setting.shape))
    return torch.arange(setting.batch_size) % 2


if __name__ == "__main__":
    main()
