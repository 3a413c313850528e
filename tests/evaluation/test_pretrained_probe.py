"""Whether the packaged ImageNet weights are worth anything on real radiographs."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lucency.domain.network_plan import Network
from lucency.domain.progress import Silence
from lucency.evaluation.linear_probe import Features, probe
from lucency.network.catalogue import build
from lucency.network.pretrained import WEIGHTS, at_hand, obtain, read_tensors
from lucency.network.stages import head_of, remove_head
from lucency.network.transfer import Scale, take_over

N_OF_EACH_CLASS = 150


@pytest.mark.real
def test_a_straight_line_reads_more_from_pretrained_features_than_from_random_ones(real_data: Path) -> None:
    """Pneumonia on radiographs of children, patients apart; random kernels tell something too, and less."""
    weights = WEIGHTS["efficientnet-lite0"]
    if at_hand(weights, Path("/nowhere")) is None:
        pytest.skip("the extra `pretrained` is not installed")
    images, targets, patients = radiographs(real_data / "kermany_cxr224" / "train")
    aucs = []
    for is_pretrained in (True, False):
        torch.manual_seed(1)
        network = build(Network(architecture=weights.architecture), 1, (96, 96), 2)
        if is_pretrained:
            tensors = read_tensors(obtain(weights, Path("/nowhere"), Silence()))
            take_over(network, head_of(network), tensors, Scale(weights.mean, weights.deviation), by_order=True)
        remove_head(network.eval())
        with torch.inference_mode():
            features = torch.cat([network((batch - 0.5) / 0.5) for batch in images.split(50)]).numpy()
        parts = [np.arange(len(targets)) % 4 < 2, np.arange(len(targets)) % 4 >= 2]
        training, judging = (Features(features[p], targets[p], tuple(patients[p].tolist())) for p in parts)
        aucs.append(probe(training, judging, 0.95, seed=1).auc)
    assert aucs[0].value > aucs[1].value + 0.03
    assert aucs[0].low > 0.85


def radiographs(folder: Path) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Return radiographs as fractions of white, one a patient, their classes in turn, and their patients."""
    found = []
    for number, name in enumerate(("NORMAL", "PNEUMONIA")):
        first = {
            re.match(r"person\d+_[a-z]+|(?:NORMAL2-)?IM-\d+", path.name)[0]: path
            for path in sorted((folder / name).iterdir())
        }
        chosen = list(first.items())[:: len(first) // N_OF_EACH_CLASS][:N_OF_EACH_CLASS]
        found += [(place, number, patient, path) for place, (patient, path) in enumerate(chosen)]
    found.sort()
    pixels = [np.array(Image.open(path).convert("L").resize((96, 96), Image.Resampling.BILINEAR)) for *_, path in found]
    targets, patients = np.array([number for _, number, *_ in found]), np.array([patient for _, _, patient, _ in found])
    return torch.from_numpy(np.stack(pixels))[:, None].float() / 255, targets, patients
