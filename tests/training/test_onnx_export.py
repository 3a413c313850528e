"""Networks as ONNX: the same answers, and nothing about the computer that wrote them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lucency.domain.network_plan import Network
from lucency.errors import StudyError
from lucency.network.catalogue import build
from lucency.training import onnx_export
from lucency.training.bundled import last_step
from lucency.training.onnx_export import ANSWERS, IMAGES, TOLERANCE, Answering, write_onnx
from lucency.training.standardised import Standardised

onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def written() -> tuple[nn.Module, bytes, torch.Tensor, float]:
    """Return a network with a grey-level scale of its own, what was written, images, and how far they agree."""
    torch.manual_seed(4)
    network = Standardised(build(Network(architecture="small_cnn", n_kernels=(4, 8)), 1, (28, 28), 3), 1)
    network.mean.fill_(0.4)
    network.deviation.fill_(0.05)
    images = torch.rand(9, 1, 28, 28)
    whole = Answering(network, last_step(is_one_of_many=True))
    content, agreement = write_onnx(whole, images)
    assert agreement.n_images == 9
    return whole, content, images, agreement.largest_difference


def test_the_file_answers_as_the_network_does(written: tuple[nn.Module, bytes, torch.Tensor, float]) -> None:
    """From fractions of white to probabilities, for batches that it was not written with."""
    whole, content, _, difference = written
    assert difference <= TOLERANCE
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for n in (1, 3, 7):
        images = torch.rand(n, 1, 28, 28)
        (said,) = session.run([ANSWERS], {IMAGES: images.numpy()})
        assert np.abs(said - whole(images).detach().numpy()).max() < TOLERANCE
        assert said.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-5)


def test_the_file_is_valid_and_tells_nothing_of_this_computer(
    written: tuple[nn.Module, bytes, torch.Tensor, float],
) -> None:
    """The exporter notes lines of code and folders in each node; who hands a network on should not hand on those."""
    _, content, _, _ = written
    onnx.checker.check_model(onnx.load_from_string(content))
    for trace in (str(Path(__file__).parents[2]), 'File "', "site-packages", str(Path.home()) + "/"):
        assert trace.encode() not in content


def test_a_file_that_answers_otherwise_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison decides, and not the exporter."""
    torch.manual_seed(5)
    network = Answering(build(Network(architecture="logistic"), 1, (28, 28), 2), nn.Softmax(1))
    monkeypatch.setattr(onnx_export, "_answers", lambda content, images, sizes: np.zeros((len(images), 2), np.float32))
    with pytest.raises(StudyError, match="answers otherwise: by up to"):
        write_onnx(network, torch.rand(4, 1, 28, 28))


class Unknown(nn.Module):
    """Goes another way by what it sees, which no exporter can follow."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.sum((2, 3)) if images.sum() > 3 else images.mean((2, 3))


def test_a_layer_that_onnx_does_not_know_is_told_in_one_sentence() -> None:
    """The exporter's own message is two pages long."""
    with pytest.raises(StudyError, match="layers that ONNX does not know"):
        write_onnx(Unknown(), torch.rand(4, 1, 8, 8))
