"""Confident learning against a naive loop, against planted wrong labels, and at its edges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lucency.domain.predictions import Predictions
from lucency.errors import StudyError
from lucency.evaluation.confident_learning import confident_joint, estimate_noise, find_suspects


def planted(
    n_classes: int, transitions: NDArray[np.float64], separation: float, seed: int, n: int = 2000, n_each: int = 1
) -> tuple[Predictions, NDArray[np.int64]]:
    """Make images whose labels were changed at known rates, and the probabilities of an honest network."""
    draw = np.random.default_rng(seed)
    prior = np.linspace(2, 1, n_classes) / np.linspace(2, 1, n_classes).sum()
    true = draw.choice(n_classes, n, p=prior)
    evidence = draw.normal(size=(n, n_classes))
    evidence[np.arange(n), true] += separation
    clean = np.exp(separation * evidence) * prior
    probabilities = clean / clean.sum(axis=1, keepdims=True) @ transitions
    given = np.array([draw.choice(n_classes, p=transitions[one]) for one in true])
    names = tuple(f"class {number}" for number in range(n_classes))
    patients = tuple(f"P{number // n_each:05d}" for number in range(n))
    return Predictions("training", "x", names, patients, patients, given, probabilities), true


def even_noise(n_classes: int, rate: float) -> NDArray[np.float64]:
    return np.eye(n_classes) * (1 - rate) + rate / (n_classes - 1) * (1 - np.eye(n_classes))


def naive_counts(predictions: Predictions) -> list[list[int]]:
    """Follow equations 1 and 2 of Northcutt, Jiang and Chuang (2021), image by image."""
    classes = range(len(predictions.classes))
    rows = list(zip(predictions.targets.tolist(), predictions.probabilities.tolist(), strict=True))
    thresholds = []
    for one in classes:
        of_class = [row[one] for label, row in rows if label == one]
        thresholds.append(sum(of_class) / len(of_class))
    counts = [[0 for _ in classes] for _ in classes]
    for label, row in rows:
        sure = [one for one in classes if row[one] >= thresholds[one]]
        if sure:
            counts[label][max(sure, key=lambda one: row[one])] += 1
    return counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_confident_joint_is_that_of_the_paper(n_classes: int, seed: int) -> None:
    """A loop that follows the equations word by word must count the same images."""
    predictions, _ = planted(n_classes, even_noise(n_classes, 0.1), 1 + seed / 3, seed, n=300)
    assert confident_joint(predictions).counts.tolist() == naive_counts(predictions)


def test_the_shares_of_a_worked_example() -> None:
    """Small enough for pen and paper: thresholds .625 and .8; counts [[2, 1], [0, 2]]; the fourth A counts for nobody."""
    first = np.array([0.9, 0.9, 0.1, 0.6, 0.2, 0.2])
    targets = np.array([0, 0, 0, 0, 1, 1])
    predictions = Predictions("", "", ("A", "B"), ("",) * 6, tuple("abcdef"), targets, np.stack([first, 1 - first], 1))
    joint = confident_joint(predictions)
    assert joint.thresholds == pytest.approx([2.5 / 4, 0.8])
    assert joint.counts.tolist() == [[2, 1], [0, 2]]
    assert joint.shares == pytest.approx(np.array([[4 / 6 * 2 / 3, 4 / 6 / 3], [0, 2 / 6]]))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_planted_wrong_labels_come_first(n_classes: int) -> None:
    """With a good network most planted errors are suspects, and most suspects are planted errors."""
    predictions, true = planted(n_classes, even_noise(n_classes, 0.08), 3.0, seed=1)
    wrong = set(np.flatnonzero(true != predictions.targets).tolist())
    found = [suspect.number for suspect in find_suspects(predictions)]
    assert len(wrong & set(found)) / len(wrong) > 0.85
    assert len(wrong & set(found)) / len(found) > 0.85
    assert np.mean([number in wrong for number in found[:50]]) > 0.95
    named = [
        suspect.suggested == true[suspect.number] for suspect in find_suspects(predictions) if suspect.number in wrong
    ]
    assert np.mean(named) > 0.95


def test_the_noise_rates_are_those_that_were_planted() -> None:
    """Uneven noise must be told apart by its direction, with intervals that hold the truth where networks are good."""
    transitions = np.array([[0.95, 0.05], [0.15, 0.85]])
    predictions, true = planted(2, transitions, 4.0, seed=3, n=4000)
    rates = {estimate.group: estimate for estimate in estimate_noise(predictions)}
    truth = {
        "all": float((true != predictions.targets).mean()),
        "truly class 0, labelled class 1": 0.05,
        "truly class 1, labelled class 0": 0.15,
    }
    for group, value in truth.items():
        estimate = rates[group]
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low - 0.005 < value < estimate.high + 0.005


@pytest.mark.parametrize("n_classes", [2, 3])
def test_clean_labels_are_called_clean(n_classes: int) -> None:
    """An audit that finds errors everywhere would be no audit."""
    predictions, _ = planted(n_classes, np.eye(n_classes), 5.0, seed=2)
    noise = estimate_noise(predictions)[0]
    assert noise.value is not None
    assert noise.value < 0.005
    assert len(find_suspects(predictions)) < 10


def test_an_interval_is_given_where_nothing_is_wrong() -> None:
    """No error among forty patients does not prove that there is none."""
    targets = np.repeat([0, 1], 20)
    predictions = Predictions("", "", ("A", "B"), ("",) * 40, tuple(map(str, range(40))), targets, np.eye(2)[targets])
    noise = estimate_noise(predictions)[0]
    assert noise.value == 0
    assert noise.high is not None
    assert 0.05 < noise.high < 0.15


def test_images_of_one_patient_widen_the_interval() -> None:
    """Ten images of one patient are not ten patients."""
    transitions = even_noise(2, 0.1)
    alone, _ = planted(2, transitions, 2.0, seed=5, n=1000)
    drawn = np.random.default_rng(5).permutation(1000)[:100].repeat(10)
    together = Predictions(
        "",
        "",
        alone.classes,
        ("",) * 1000,
        tuple(f"P{number // 10}" for number in range(1000)),
        alone.targets[drawn],
        alone.probabilities[drawn],
    )
    widths = []
    for predictions in (alone, together):
        noise = estimate_noise(predictions)[0]
        assert noise.low is not None
        assert noise.high is not None
        widths.append(noise.high - noise.low)
    assert widths[1] > 2 * widths[0]


def test_the_order_of_images_changes_nothing() -> None:
    """Suspects are a property of the images, not of the order in which they were read."""
    predictions, _ = planted(3, even_noise(3, 0.1), 2.0, seed=7, n=400)
    order = np.random.default_rng(0).permutation(400)
    shuffled = Predictions(
        "",
        "",
        predictions.classes,
        ("",) * 400,
        tuple(predictions.patient_ids[place] for place in order),
        predictions.targets[order],
        predictions.probabilities[order],
    )
    there = [int(order[suspect.number]) for suspect in find_suspects(shuffled)]
    assert there == [suspect.number for suspect in find_suspects(predictions)]


def test_both_orders_agree_for_two_classes() -> None:
    """With two classes the margin is twice the self-confidence minus one; only more classes can tell them apart."""
    predictions, _ = planted(2, even_noise(2, 0.1), 2.0, seed=8, n=400)
    assert find_suspects(predictions, "margin") == find_suspects(predictions, "self_confidence")
    three, _ = planted(3, even_noise(3, 0.1), 1.0, seed=8, n=400)
    assert find_suspects(three, "margin") != find_suspects(three, "self_confidence")


def test_one_label_alone_is_refused() -> None:
    """Where all images have one label there is nothing to compare with."""
    predictions = Predictions("", "", ("A", "B"), ("",) * 3, tuple("abc"), np.zeros(3, np.int64), np.full((3, 2), 0.5))
    with pytest.raises(StudyError, match="same label"):
        find_suspects(predictions)


def test_a_class_without_images_has_no_rate() -> None:
    """A class may be missing from the parts that are looked at; then its rates are not known, and the others are."""
    two, _ = planted(2, even_noise(2, 0.1), 2.0, seed=9, n=200)
    padded = np.hstack([two.probabilities, np.zeros((200, 1))])
    three = Predictions("", "", ("A", "B", "C"), ("",) * 200, two.patient_ids, two.targets, padded)
    rates = {estimate.group: estimate for estimate in estimate_noise(three)}
    assert rates["labelled C, truly A"].value is None
    assert rates["all"].value == pytest.approx(estimate_noise(two)[0].value)
