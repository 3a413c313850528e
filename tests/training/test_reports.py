"""Reports in batches, and the cost of several findings at once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lucency.data.texts.store import number_words
from lucency.domain.plan import Network, Training
from lucency.domain.progress import Silence
from lucency.domain.text_plan import Recurrent
from lucency.errors import Interrupted
from lucency.network.recurrent import ReadingNetwork, recurrent_network
from lucency.training.class_course import class_course
from lucency.training.cost import make_cost, probabilities_of
from lucency.training.course import Course, Outcome
from lucency.training.device import OneDevice
from lucency.training.loop import train_member
from lucency.training.prediction import predict
from lucency.training.reports import ReportExamples

NAN = float("nan")
DRAW = np.random.default_rng(1)
LENGTHS = DRAW.integers(1, 30, 61)
WORDS = [[str(word) for word in DRAW.integers(2, 20, n)] for n in LENGTHS]
IS_ILL = np.array(["7" in report for report in WORDS])


def examples(rows: range, findings: bool = False) -> ReportExamples:
    store = number_words(WORDS)
    numbers = np.array([int(word) for word in store.words])
    chosen = np.array(rows)
    ill = torch.tensor(IS_ILL[chosen])
    there = torch.stack([ill.float(), torch.where(torch.arange(len(rows)) % 3 == 0, NAN, (~ill).float())], 1)
    return ReportExamples(store, numbers, chosen, there if findings else ill.long(), chosen.astype(np.uint64))


def network(findings: bool = False) -> ReadingNetwork:
    torch.manual_seed(1)
    settings = Network(architecture="lstm", dropout=0.2, recurrent=Recurrent(embedding_size=6, hidden_units=5))
    return recurrent_network(settings, 20, 2, findings)


def course(findings: bool = False) -> Course:
    return class_course(
        title="Training",
        settings=Training(epochs=3, batch_size=8, learning_rate=0.02, early_stopping=None),
        training=examples(range(41), findings),
        tuning=examples(range(41, 61), findings),
        n_classes=2,
        augment=None,
        score=lambda _targets, probabilities: float(probabilities[:, 1].mean()),
        seed=5,
        key="key",
    )


def test_every_report_is_dealt_once_in_an_order_of_the_epoch(tmp_path: Path) -> None:
    """Sorting by length must lose none, and each epoch wants other neighbours."""
    dealt = [list(examples(range(61)).batches(8, 3, epoch)) for epoch in (0, 0, 1)]
    assert [sorted(np.concatenate(batches).tolist()) for batches in dealt] == [list(range(61))] * 3
    assert [len(batches) for batches in dealt] == [8] * 3
    assert all(np.array_equal(a, b) for a, b in zip(dealt[0], dealt[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(dealt[0], dealt[2], strict=True))


def test_reports_of_like_length_go_together() -> None:
    """Filling up costs time: here it may add a fifth and not half."""
    some = examples(range(61))
    filled = sum(some.inputs(batch).numel() for batch in some.batches(8, 3, 0))
    assert filled < 1.2 * LENGTHS.sum()


def test_a_batch_is_filled_up_behind_its_reports() -> None:
    """With the number of no word."""
    some = examples(range(61))
    inputs = some.inputs(np.array([4, 9]))
    assert inputs.shape == (2, max(LENGTHS[4], LENGTHS[9]))
    for row, number in zip(inputs.tolist(), (4, 9), strict=True):
        assert row[: LENGTHS[number]] == [int(word) for word in WORDS[number]]
        assert not any(row[LENGTHS[number] :])


def test_predictions_come_back_in_the_order_of_the_reports() -> None:
    """They are made from the shortest to the longest."""
    one, some = network().eval(), examples(range(61))
    together = predict(one, some, OneDevice("cpu"), batch_size=7)
    with torch.no_grad():
        alone = torch.cat([one(some.inputs(np.array([number]))) for number in range(61)])
    assert torch.allclose(together, alone, atol=1e-5)


class StopAt(Silence):
    """A desk whose user loses patience after some steps."""

    def __init__(self, n_steps: int) -> None:
        self.left = n_steps

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        self.left -= 1
        if self.left <= 0:
            raise Interrupted("stop")


def same(one: Outcome, other: Outcome) -> bool:
    costs = [[(epoch.training_cost, epoch.tuning_cost) for epoch in outcome.history] for outcome in (one, other)]
    return costs[0] == costs[1] and all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


@pytest.mark.parametrize("findings", [False, True])
@pytest.mark.parametrize("n_steps", [1, 6, 9])
def test_a_resumed_training_gives_the_same_bits(tmp_path: Path, findings: bool, n_steps: int) -> None:
    """With dropout, batches by length, and several findings."""
    expected = train_member(network(findings), course(findings), tmp_path / "whole", Silence())
    with pytest.raises(Interrupted):
        train_member(network(findings), course(findings), tmp_path / "stopped", StopAt(n_steps))
    assert same(train_member(network(findings), course(findings), tmp_path / "stopped", Silence()), expected)


def test_unknown_findings_cost_nothing_and_teach_nothing() -> None:
    """A report whose table says nothing of a finding must not count as one without it."""
    logits = torch.tensor([[0.3, -2.0], [1.5, 0.4]], requires_grad=True)
    targets = torch.tensor([[1.0, NAN], [0.0, 1.0]])
    cost = make_cost(Training(), targets, 2)(logits, targets)
    known = F.binary_cross_entropy_with_logits(torch.tensor([0.3, 1.5, 0.4]), torch.tensor([1.0, 0.0, 1.0]))
    assert torch.isclose(cost, known)
    cost.backward()
    assert logits.grad[0, 1] == 0
    assert (logits.grad.flatten()[[0, 2, 3]] != 0).all()


def test_a_batch_of_which_nothing_is_known_costs_nothing() -> None:
    """Nor may it make the weights undefined."""
    nothing = torch.full((2, 2), NAN)
    logits = torch.zeros(2, 2, requires_grad=True)
    cost = make_cost(Training(class_weights="balanced"), torch.tensor([[1.0, 0.0], [0.0, NAN]]), 2)(logits, nothing)
    cost.backward()
    assert cost.item() == 0
    assert torch.equal(logits.grad, torch.zeros(2, 2))


def test_balanced_findings_weigh_presence_and_absence_the_same() -> None:
    """Of four known reports one has the finding: it weighs three times as much as each of the others."""
    targets = torch.tensor([[1.0], [0.0], [0.0], [0.0], [NAN]])
    cost_of = make_cost(Training(class_weights="balanced"), targets, 1)
    logits = torch.zeros(5, 1, requires_grad=True)
    cost_of(logits, targets).backward()
    gradient = logits.grad.flatten()
    assert torch.isclose(-gradient[0], 3 * gradient[1])
    assert torch.isclose(gradient.sum(), torch.tensor(0.0), atol=1e-7)


def test_probabilities_follow_the_question() -> None:
    """One class of several: they sum to 1. Several findings: each by itself."""
    logits = torch.tensor([[0.0, 1.0]])
    assert probabilities_of(logits, torch.zeros(1, dtype=torch.int64)).sum() == pytest.approx(1)
    assert probabilities_of(logits, torch.zeros(1, 2)).tolist() == [[0.5, pytest.approx(0.7310586)]]
