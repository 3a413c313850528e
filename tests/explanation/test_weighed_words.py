"""The words that carried an answer, on networks of which one knows what they look at."""

import numpy as np
import pytest
import torch

from lucency.domain.network_plan import Network
from lucency.domain.text_plan import Recurrent
from lucency.explanation.words import Answer, check_words, gradient_times_input, weigh_words
from lucency.network.recurrent import ReadingNetwork, recurrent_network

WORD = 7
REPORT = np.array([3, 4, WORD, 5, 6, 9, 3, 8])


def looking_at_one_word(findings: bool = False, pooling: str = "max") -> ReadingNetwork:
    """Teach a network that the report is ill if it holds the word."""
    torch.manual_seed(3)
    recurrent = Recurrent(embedding_size=8, hidden_units=8, pooling=pooling, embedding_dropout=0)
    one = recurrent_network(Network(architecture="lstm", recurrent=recurrent), 12, 2, findings)
    optimizer = torch.optim.Adam(one.parameters(), 0.02)
    words = torch.randint(2, 12, (200, 8))
    ill = (words == WORD).any(1)
    for _ in range(120):
        optimizer.zero_grad()
        logits = one(words)
        if findings:
            there = torch.stack([ill, ~ill], 1).float()
            torch.nn.functional.binary_cross_entropy_with_logits(logits, there).backward()
        else:
            torch.nn.functional.cross_entropy(logits, ill.long()).backward()
        optimizer.step()
    return one


@pytest.mark.parametrize("pooling", ["attention", "max", "last"])
def test_the_word_that_was_taught_carries_the_answer(pooling: str) -> None:
    """Left out, the answer falls; no other word matters as much."""
    one = looking_at_one_word(pooling=pooling)
    weighed = weigh_words(one, REPORT, Answer(1))
    assert weighed.weights.argmax() == 2
    assert weighed.weights[2] > 2 * np.abs(np.delete(weighed.weights, 2)).max()
    against = weigh_words(one, REPORT, Answer(0))
    assert against.weights.argmin() == 2
    assert (weighed.attention is None) == (pooling != "attention")


def test_the_weight_is_the_fall_of_the_log_odds() -> None:
    """By hand: the report with the word and without it."""
    one = looking_at_one_word()
    with torch.no_grad():
        whole, without = (one(torch.tensor(words)[None])[0] for words in (REPORT, np.delete(REPORT, 2)))
    fall = (whole[1] - whole[0]) - (without[1] - without[0])
    assert weigh_words(one, REPORT, Answer(1)).weights[2] == pytest.approx(fall.item(), abs=1e-5)


def test_absence_of_a_finding_is_explained_with_the_sign_turned() -> None:
    """What speaks for its presence speaks against its absence."""
    one = looking_at_one_word(findings=True, pooling="attention")
    there = weigh_words(one, REPORT, Answer(0, is_finding=True))
    absent = weigh_words(one, REPORT, Answer(0, is_finding=True, is_there=False))
    assert there.weights.argmax() == 2
    assert np.allclose(there.weights, -absent.weights)
    assert there.attention.sum() == pytest.approx(1)


def test_gradient_times_input_points_to_the_same_word() -> None:
    """It is quicker, and only a straight line through what leaving out measures."""
    one = looking_at_one_word()
    other = np.array([4, 5, 3, WORD, 3, 8, 0, 0])
    weights = gradient_times_input(one, torch.from_numpy(np.stack([REPORT, other])), [Answer(1), Answer(1)])
    assert weights[0].argmax() == 2
    assert weights[1].argmax() == 3
    assert (weights[1, 6:] == 0).all()


def test_one_word_and_an_unchanged_network() -> None:
    """Nothing is left when the only word is left out; and looking changes nothing."""
    one = looking_at_one_word()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    one.train()
    assert weigh_words(one, np.array([WORD]), Answer(1)).weights.tolist() == [0.0]
    gradient_times_input(one, torch.tensor([[WORD]]), [Answer(1)])
    assert one.training
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())


def test_the_check_passes_for_what_was_learnt() -> None:
    """Random networks order the words otherwise; attention is compared with the shading."""
    one = looking_at_one_word(pooling="attention")
    draw = np.random.default_rng(1)
    reports = [draw.permutation(np.array([WORD, 3, 4, 5, 6, 8, 9, 10, 11, 2])) for _ in range(8)]
    check = check_words(one, reports, [Answer(1)] * 8, [f"P{n}" for n in range(8)], seed=1)
    assert check.verdict.startswith("Passed: the shadings change")
    assert check.median.n == 8
    assert check.attention is not None
    assert check.attention.value is not None
