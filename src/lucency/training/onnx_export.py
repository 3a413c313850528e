"""Write a trained network as ONNX, and hold it against the network itself on real images."""

import io
import logging
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.errors import PlanError, StudyError

OPSET = 18
"""The oldest version of ONNX's operators that holds all networks here, so that old programs can read them."""
TOLERANCE = 1e-4
"""Largest difference of an answer that counts as equal; sums in another order differ by about 1e-6."""
IMAGES, ANSWERS = "images", "answers"
"""What input and output are called in the file."""


class Answering(nn.Module):
    """A network from fractions of white to its answer, grey-level scale and last step included."""

    def __init__(self, network: nn.Module, last_step: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.last_step = last_step

    def forward(self, images: Tensor) -> Tensor:
        """Return answers, axes (image, answer), for fractions of white, axes (image, channel, row, column)."""
        answers: Tensor = self.last_step(self.network(images))
        return answers


@dataclass(frozen=True)
class Agreement:
    """How far a file agrees with the network that it was written from."""

    n_images: int
    largest_difference: float
    tolerance: float = TOLERANCE
    opset: int = OPSET


def write_onnx(network: nn.Module, images: Tensor) -> tuple[bytes, Agreement]:
    """Return a network as ONNX, for any number of images at a time, and how far it agrees with it on some real ones.

    Raises:
        PlanError: the extra `onnx` is not installed.
        StudyError: the network cannot be written, or answers otherwise once it is.
    """
    require_onnx()
    network = network.eval().cpu()
    content = _written(network, images[:2])
    with torch.inference_mode():
        expected = network(images).numpy()
    difference = float(np.abs(_answers(content, images, (1, len(images) - 1)) - expected).max())
    if not difference <= TOLERANCE:
        raise StudyError(
            f"As ONNX the network answers otherwise: by up to {difference:.2g}, where {TOLERANCE:g} is allowed. It was not "
            "written; the bundle holds the network as it is."
        )
    return content, Agreement(len(images), difference)


def require_onnx() -> None:
    """Make sure that ONNX can be written and run.

    Raises:
        PlanError: the extra is not installed.
    """
    try:
        import onnx  # noqa: F401 - asked for its presence
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise PlanError("ONNX needs more packages. Install them with: pip install 'lucency[onnx]'") from None


def _written(network: nn.Module, images: Tensor) -> bytes:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    shapes = ({0: torch.export.Dim("image", min=1)},)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (images,),
                dynamo=True,
                input_names=[IMAGES],
                output_names=[ANSWERS],
                dynamic_shapes=shapes,
                opset_version=OPSET,
                verbose=False,
            )
            assert program is not None  # None only where a file is named
            content = _without_traces(program.model_proto).SerializeToString()
    except Exception:  # the exporter raises anything on a layer that it does not know
        raise StudyError("This network has layers that ONNX does not know; it can be exported as a bundle.") from None
    return bytes(content)


def _without_traces(model: Any) -> Any:
    """Take out what the exporter noted of the program that it ran in: lines of code, and the folders of this computer."""
    for part in (model.graph, *model.functions):
        for one in (part, *part.node, *part.value_info):
            del one.metadata_props[:]
        for node in part.node:
            node.doc_string = ""
    for one in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del one.metadata_props[:]
    return model


def _answers(content: bytes, images: Tensor, sizes: Sequence[int]) -> NDArray[np.float32]:
    """Let the file answer in batches of different sizes, so that it cannot hold for one size alone."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    parts = [session.run(None, {IMAGES: part.numpy()})[0] for part in images.split(list(sizes))]
    return np.concatenate(parts)
