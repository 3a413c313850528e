"""Learning numbers: the cost in standard deviations, the answer in the unit of the study."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lucency.domain.network_plan import Network
from lucency.domain.progress import Silence
from lucency.domain.training_plan import Training
from lucency.network.catalogue import build
from lucency.training.device import make_device
from lucency.training.examples import ImageExamples
from lucency.training.in_unit import InUnit
from lucency.training.loop import train_member
from lucency.training.number_course import COSTS, cost_of_numbers, number_course
from lucency.training.prediction import predict
from lucency.training.standardised import Standardised

DRAW = np.random.default_rng(1)
STORE = DRAW.integers(0, 60, (80, 1, 16, 16), dtype=np.uint8)
SIDES = DRAW.integers(1, 12, 80)
for _image, _side in zip(STORE, SIDES, strict=True):
    _image[:, 2 : 2 + _side, 2 : 2 + _side] += 150
SETTINGS = Training(epochs=20, batch_size=16, learning_rate=0.01, cost="mse", n_threads=1, device="cpu")


def examples(rows: range, factor: float = 1.0) -> ImageExamples:
    numbers = np.array(rows)
    targets = torch.from_numpy(SIDES[numbers] ** 2 * factor).float()
    return ImageExamples(STORE, numbers, targets, numbers.astype(np.uint64))


def trained(tmp_path, factor: float = 1.0, settings: Training = SETTINGS) -> tuple[np.ndarray, InUnit]:
    """Return the answers on images that were not learnt from, in the unit of the study, and the network."""
    training, tuning = examples(range(50), factor), examples(range(50, 80), factor)
    torch.manual_seed(3)
    network = InUnit(Standardised(build(Network(architecture="logistic"), 1, (16, 16), 1), 1))
    network.network.fit(training)
    network.fit_targets(training.targets)
    course = number_course("Training", settings, training, tuning, None, 5, "key")
    outcome = train_member(network, course, tmp_path / str(factor), Silence())
    network.load_state_dict(outcome.weights)
    return predict(network, tuning, make_device(settings))[:, 0].numpy(), network


def test_a_network_learns_the_area_of_a_square(tmp_path):
    """A sum over pixels is an area, which a linear regression can learn; the mean of the training part cannot."""
    said, _ = trained(tmp_path)
    truth = SIDES[50:] ** 2
    assert np.abs(said - truth).mean() < 0.3 * np.abs(truth - (SIDES[:50] ** 2).mean()).mean()


def test_another_unit_gives_the_same_network(tmp_path):
    """Millimetres or metres: the answers scale, because the cost knows standard deviations only."""
    said, _ = trained(tmp_path)
    scaled, _ = trained(tmp_path, 1000.0)
    assert scaled == pytest.approx(1000 * said, rel=1e-3, abs=1e-1)


def test_the_scale_travels_with_the_weights(tmp_path):
    """Who loads the weights gets numbers in the unit, and never deviations from an unknown mean."""
    _, network = trained(tmp_path)
    weights = network.state_dict()
    assert float(weights["target_mean"]) == pytest.approx((SIDES[:50] ** 2).mean(), rel=1e-6)
    assert float(weights["target_deviation"]) == pytest.approx((SIDES[:50] ** 2).std(), rel=1e-6)


def test_an_untaught_network_says_about_the_mean():
    """Training begins at the mean of the training part, whatever the unit."""
    network = InUnit(torch.nn.Linear(4, 1))
    network.fit_targets(torch.tensor([1e6, 1e6 + 2]))
    assert network(torch.zeros(3, 4)).shape == (3, 1)
    assert float(network(torch.zeros(1, 4)).detach()) == pytest.approx(1e6 + 1, abs=2)


@pytest.mark.parametrize(
    ("name", "of"), [("mse", lambda d: d**2), ("mae", abs), ("huber", lambda d: d**2 / 2 if d < 1 else d - 0.5)]
)
def test_costs_are_those_of_their_names(name, of):
    """Errors of 1 and 6 where the training part has a standard deviation of 2; Huber's cost turns at one of them."""
    targets = torch.tensor([3.0, 7.0])
    cost = cost_of_numbers(Training(cost=name), targets)
    said = float(cost(torch.tensor([[4.0], [1.0]]), targets))
    assert said == pytest.approx((of(0.5) + of(3.0)) / 2)
    assert COSTS["huber"] is F.huber_loss
