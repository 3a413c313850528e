"""Sliding-window prediction beside MONAI's: `python -m benchmarks.sliding_window`.

The same windows, overlap, Gaussian weights and network on one volume; one thread, processor time. The first table lets a network
that costs next to nothing answer, so that only the windows are timed; the second a U-Net.
"""

import os
import time

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.side_by_side import Candidate, items_per_second, print_table
from lucency.network.unet import Unet, UnetShape
from lucency.training.device import OneDevice
from lucency.training.sliding_window import Window, predict_image

SHAPE, PATCH, OVERLAP, N_WINDOWS_AT_ONCE = (80, 112, 100), (40, 56, 40), 0.5, 2


class NextToNothing(nn.Module):
    """Two classes by the grey level of each voxel."""

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        return torch.cat([images, 1 - images], dim=1)


def small_unet() -> nn.Module:
    """Return the hippocampus' U-Net at a quarter of its width."""
    torch.manual_seed(1)
    even, half = (1, 1, 1), (2, 2, 2)
    return Unet(UnetShape(1, 3, (4, 8, 16, 32), (even, half, half, half), ((3, 3, 3),) * 4)).eval()


def candidates(network: nn.Module) -> list[Candidate]:
    """Let both predict one volume with one network."""
    from monai.inferers.utils import sliding_window_inference

    levels = np.random.default_rng(1).integers(0, 65535, (1, *SHAPE)).astype(np.uint16)
    image = torch.from_numpy(levels)
    fractions = torch.from_numpy(levels.astype(np.float32) / 65535)[None]
    window, device = Window(PATCH, OVERLAP, N_WINDOWS_AT_ONCE), OneDevice("cpu")

    def ours() -> Tensor:
        return predict_image(network, image, window, device)

    @torch.inference_mode()
    def monais() -> Tensor:
        return sliding_window_inference(
            *(fractions, PATCH, N_WINDOWS_AT_ONCE),
            lambda images: torch.softmax(network(images), 1),
            overlap=OVERLAP,
            mode="gaussian",
        )[0]

    n_voxels = int(np.prod(SHAPE))
    largest = float((ours() - monais()).abs().max())
    return [
        Candidate("**lucency**", ours, n_voxels),
        Candidate("MONAI 1.6", monais, n_voxels, f"probabilities differ by at most {largest:.3f}"),
    ]


def main() -> None:
    """Print both tables, and how long the import takes."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    start = time.process_time()
    import monai.inferers.utils  # noqa: F401 - the import is what is timed

    print(f"\nImporting MONAI's sliding window after torch: {time.process_time() - start:.1f} s of processor time.")
    for title, network in (("A network that costs nothing", NextToNothing()), ("A U-Net", small_unet())):
        both = candidates(network)
        print_table(title, "voxels a second", both, items_per_second(both, n_rounds=3))


if __name__ == "__main__":
    main()
