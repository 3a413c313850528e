"""Read networks back from an exported bundle: a folder with weights as safetensors, and what they are made for in JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lucency.domain.network_plan import Network
from lucency.network.catalogue import build
from lucency.training.standardised import Standardised

METADATA = "configs/metadata.json"


class Ensemble(nn.Module):
    """All members of a bundle; the mean of their probabilities is the answer."""

    def __init__(self, members: Sequence[nn.Module], last_step: nn.Module) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.last_step = last_step

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities, axes (image, class or finding), for fractions of white, axes (image, channel, row, column)."""
        return torch.stack([self.last_step(member(images)) for member in self.members]).mean(0)


def last_step(is_one_of_many: bool) -> nn.Module:
    """Return what turns logits into probabilities: of classes that exclude each other, or of findings that do not."""
    return nn.Softmax(1) if is_one_of_many else nn.Sigmoid()


def read_bundle(folder: str | Path) -> Ensemble:
    """Read the networks of a bundle."""
    folder = Path(folder)
    facts = json.loads((folder / METADATA).read_text(encoding="utf-8"))["lucency"]
    settings = Network.model_validate(facts["network"])
    members = []
    for name in facts["members"]:
        network = build(settings, facts["n_channels"], tuple(facts["shape"]), facts["n_outputs"])
        member = Standardised(network, facts["n_channels"])
        member.load_state_dict(load_file(folder / "models" / f"{name}.safetensors"))
        members.append(member)
    return Ensemble(members, last_step(facts["is_one_of_many"])).eval()
