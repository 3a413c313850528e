"""The learning curve's numbers against scikit-learn, and its bootstrap by its laws; the probe on features one can see through."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lucency.domain.predictions import Predictions
from lucency.domain.transfer_curve import Answers, Way
from lucency.evaluation.learning_curve import _weighted_auc, point_of_curve
from lucency.evaluation.linear_probe import Features, probe


def predictions(signal: float, seed: int, n: int = 120) -> Predictions:
    draw = np.random.default_rng(seed)
    targets = np.arange(n) % 2
    p = 1 / (1 + np.exp(-(signal * targets + draw.normal(size=n))))
    names = tuple(f"i{k:03d}" for k in range(n))
    patients = tuple(f"p{k // 2:03d}" for k in range(n))
    return Predictions("tuning", "m", ("no", "yes"), names, patients, targets, np.stack([1 - p, p], axis=1))


def answers(way: Way, signal: float, seeds: range) -> Answers:
    return Answers(100, way, tuple(predictions(signal, seed) for seed in seeds))


def test_drawn_images_count_as_often_as_they_were_drawn() -> None:
    """The AUC of a resample is scikit-learn's with sample weights, ties included."""
    draw = np.random.default_rng(3)
    scores, positive = draw.integers(0, 12, 60) / 12, draw.random(60) < 0.4
    weights = draw.integers(0, 3, (5, 60)).astype(np.int32)
    for row, value in zip(weights, _weighted_auc(weights, positive, scores), strict=True):
        assert value == pytest.approx(roc_auc_score(positive, scores, sample_weight=row))


def test_the_mean_is_that_of_the_repeats() -> None:
    """Of plain AUCs, as scikit-learn computes them."""
    scratch, transfer = answers(Way.SCRATCH, 0.5, range(3)), answers(Way.TRANSFER, 1.5, range(3, 6))
    point = point_of_curve(scratch, transfer, (100,) * 3, 0.95, seed=1)
    each = [roc_auc_score(one.targets, one.probabilities[:, 1]) for one in scratch.repeats]
    assert point.scratch_repeats == pytest.approx(each)
    assert point.scratch.value == pytest.approx(np.mean(each))
    assert point.difference.value == pytest.approx(point.transfer.value - point.scratch.value)
    assert point.difference.low > 0
    assert point.scratch.n_clusters == 60


def test_equal_networks_show_no_difference() -> None:
    """Both ways are resampled together: the same answers twice leave nothing over, in no resample."""
    one, other = answers(Way.SCRATCH, 1, range(3)), answers(Way.TRANSFER, 1, range(3))
    point = point_of_curve(one, other, (100,) * 3, 0.95, seed=1)
    assert (point.difference.low, point.difference.value, point.difference.high) == (0, 0, 0)


def test_repeats_that_disagree_widen_the_interval() -> None:
    """Chance in patients and beginnings is part of the answer."""
    alike = Answers(100, Way.SCRATCH, (predictions(1, 0),) * 4)
    apart = Answers(100, Way.SCRATCH, tuple(predictions(signal, 0) for signal in (0.1, 0.6, 1.4, 2.2)))
    widths = []
    for some in (alike, apart):
        point = point_of_curve(some, some, (100,) * 4, 0.95, seed=1)
        widths.append(point.scratch.high - point.scratch.low)
    assert widths[1] > 1.3 * widths[0]


def features(seed: int, n: int = 200, signal: float = 1.2) -> Features:
    draw = np.random.default_rng(seed)
    targets = np.arange(n) % 2
    values = draw.normal(size=(n, 30)).astype(np.float32)
    values[:, 4] += signal * targets
    return Features(values, targets, tuple(f"p{k // 2}" for k in range(n)))


def test_the_probe_finds_what_one_feature_tells() -> None:
    """Of thirty features one tells; the straight line does nearly as well as that one alone."""
    judging = features(2, 600)
    found = probe(features(1, 600), judging, 0.95, seed=1)
    assert found.auc.low < roc_auc_score(judging.targets, judging.values[:, 4]) < found.auc.high
    assert found.auc.low > 0.6


def test_the_probe_finds_nothing_where_there_is_nothing() -> None:
    """The interval holds one half."""
    found = probe(features(1, signal=0), features(2, signal=0), 0.95, seed=1)
    assert found.auc.low < 0.5 < found.auc.high
