"""Checkpoints: one safetensors file with everything that training needs to go on, written so that none is ever lost.

A new checkpoint is written beside the old one, read back, and only then is the older one removed. Its metadata holds
the scalars as JSON and a hash over scalars and tensors.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lucency.errors import StorageError
from lucency.provenance import canonical_json, write_atomically

N_KEPT = 2
"""How many checkpoints stay, so that a damaged one has a predecessor."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of training after one iteration."""

    scalars: dict[str, Any]
    """Whatever JSON can hold: counters, history, the key of the stage."""
    tensors: dict[str, Tensor]


def save_checkpoint(folder: Path, iteration: int, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, make sure that it can be read, and drop the oldest.

    Raises:
        StorageError: the disk is full or does not return what was written.
    """
    path = folder / f"checkpoint-{iteration:09d}.safetensors"
    metadata = {"scalars": canonical_json(checkpoint.scalars), "sha256": _hash(checkpoint)}
    write_atomically(path, save({name: t.contiguous() for name, t in checkpoint.tensors.items()}, metadata))
    if _load(path) is None:
        raise StorageError(f"{path.name} cannot be read back: the disk does not keep what is written. Check the disk.")
    for old in _newest_first(folder)[N_KEPT:]:
        old.unlink()


def load_newest(folder: Path, key: str) -> Checkpoint | None:
    """Return the newest whole checkpoint of a stage, passing over damaged ones and those of other settings."""
    for path in _newest_first(folder):
        checkpoint = _load(path)
        if checkpoint and checkpoint.scalars.get("key") == key:
            return checkpoint
    return None


def remove_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of other settings."""
    for path in _newest_first(folder):
        path.unlink()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*.safetensors"), reverse=True)


def _load(path: Path) -> Checkpoint | None:
    """Read a checkpoint, or return None when it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
        checkpoint = Checkpoint(json.loads(metadata["scalars"]), tensors)
        return checkpoint if _hash(checkpoint) == metadata["sha256"] else None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None


def _hash(checkpoint: Checkpoint) -> str:
    digest = hashlib.sha256(canonical_json(checkpoint.scalars).encode())
    for name, tensor in sorted(checkpoint.tensors.items()):
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
