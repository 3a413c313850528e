"""A labeller's errors, from all reports and from a sample drawn by its answer."""

import numpy as np
import pytest

from lucency.errors import SourceError
from lucency.evaluation.labeller import Reread, measure_labeller


def reread(table, classes=("no", "yes"), sampled_of=None):
    """Make reports of counts, axes (labelled, truth); one report a patient."""
    table = np.array(table)
    cells = np.repeat(np.argwhere(table >= 0), table.ravel(), axis=0)
    labelled, truth = (tuple(classes[place] for place in column) for column in cells.T)
    return Reread(tuple(classes), labelled, truth, tuple(map(str, range(len(cells)))), sampled_of)


def by_name(estimates):
    return {(estimate.group, estimate.name): estimate for estimate in estimates}


def test_all_reports_give_the_usual_shares():
    """180 true negatives, 5 missed, 10 false alarms, 45 found."""
    found = by_name(measure_labeller(reread([[180, 5], [10, 45]])))
    shares = {
        name: (each.numerator, each.denominator) for (_, name), each in found.items() if each.numerator is not None
    }
    assert shares == {
        "sensitivity": (45, 50),
        "specificity": (180, 190),
        "positive predictive value": (45, 55),
        "negative predictive value": (180, 185),
        "accuracy": (225, 240),
    }
    assert found["all", "Cohen's kappa"].value == pytest.approx((225 / 240 - 0.657986) / (1 - 0.657986), abs=1e-5)
    assert {each.unit for each in found.values()} == {"report"}


def test_begg_and_greenes_by_hand():
    """Of 100 positive and 900 negative answers 50 each are read again: 40 of the positive are right, 2 of the negative missed.

    80 found and 36 missed in all reports: sensitivity 80 / 116; 864 of 884 without the finding are called so.
    """
    found = by_name(measure_labeller(reread([[48, 2], [10, 40]], sampled_of={"no": 900, "yes": 100})))
    assert found["all", "sensitivity"].value == pytest.approx(80 / 116)
    assert found["all", "specificity"].value == pytest.approx(864 / 884)
    assert found["all", "positive predictive value"].value == pytest.approx(0.8)
    assert found["all", "negative predictive value"].value == pytest.approx(0.96)
    assert found["all", "accuracy"].value == pytest.approx(0.944)
    assert found["all", "Cohen's kappa"].value == pytest.approx((0.944 - 0.8072) / (1 - 0.8072))
    assert "50 of 900" in found["all", "sensitivity"].note
    for each in found.values():
        assert 0 <= each.low < each.value < each.high <= 1


def test_unweighted_predictive_values_keep_wilsons_limits():
    """A single answer's share needs no putting together."""
    plain = by_name(measure_labeller(reread([[48, 2], [10, 40]])))["all", "positive predictive value"]
    weighted = by_name(measure_labeller(reread([[48, 2], [10, 40]], sampled_of={"no": 900, "yes": 100})))
    back = weighted["all", "positive predictive value"]
    assert (back.low, back.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


def test_no_miss_in_a_few_negatives_does_not_prove_sensitivity():
    """None of 50 negative reports was wrong, but they stand for 10,000, of which Wilson allows 7 % to be missed."""
    found = by_name(measure_labeller(reread([[50, 0], [5, 45]], sampled_of={"no": 10_000, "yes": 100})))
    sensitivity = found["all", "sensitivity"]
    assert (sensitivity.value, sensitivity.high) == (1.0, 1.0)
    assert sensitivity.low < 0.15


def test_more_classes_are_each_against_the_rest():
    """Three answers, the middle one drawn more often than it occurs."""
    table = [[30, 2, 0], [3, 40, 5], [0, 1, 19]]
    found = by_name(measure_labeller(reread(table, "abc")))
    assert found["b against the rest", "sensitivity"].denominator == 43
    assert found["all", "accuracy"].numerator == 89
    weighted = by_name(measure_labeller(reread(table, "abc", {"a": 320, "b": 48, "c": 200})))
    # a: 300 20 0; b: 3 40 5; c: 0 10 190
    assert weighted["b against the rest", "sensitivity"].value == pytest.approx(40 / 70)
    assert weighted["c against the rest", "specificity"].value == pytest.approx(363 / 373)
    assert weighted["a against the rest", "negative predictive value"].value == pytest.approx(245 / 248)
    assert weighted["all", "accuracy"].value == pytest.approx(530 / 568)


def test_an_answer_nobody_verified_is_not_guessed():
    """Without a single negative report nothing is known of what was missed."""
    found = measure_labeller(reread([[0, 0], [5, 45]], sampled_of={"no": 900, "yes": 100}))
    assert all(each.value is None and each.note for each in found)


def test_impossible_samples_are_refused_in_plain_words():
    """A class that does not exist, and more reports than there are."""
    with pytest.raises(SourceError, match="use no, yes"):
        measure_labeller(Reread(("no", "yes"), ("no",), ("perhaps",), ("1",)))
    with pytest.raises(SourceError, match="read again"):
        measure_labeller(reread([[48, 2], [10, 40]], sampled_of={"no": 10, "yes": 100}))


@pytest.mark.slow
def test_limits_of_a_sample_by_answer_cover():
    """A finding in 5 % of 10,000 reports, found in 85 %, 300 negative and 200 positive answers read again."""
    from lucency.evaluation.by_answer import SampleByAnswer, finding_by_answer

    random = np.random.default_rng(1)
    hits = {}
    for _ in range(500):
        truth = random.random(10_000) < 0.05
        answered = np.where(truth, random.random(10_000) < 0.85, random.random(10_000) < 0.02)
        drawn = np.concatenate([random.permutation(np.flatnonzero(answered == a))[:n] for a, n in ((0, 300), (1, 200))])
        sample = SampleByAnswer(
            answered[drawn].astype(int), truth[drawn].astype(int), np.arange(drawn.size), np.bincount(answered)
        )
        held = {"sensitivity": answered[truth].mean(), "specificity": (~answered[~truth]).mean()}
        for estimate in finding_by_answer(sample, 1):
            if estimate.name in held:
                hits.setdefault(estimate.name, []).append(estimate.low <= held[estimate.name] <= estimate.high)
    assert all(0.93 <= np.mean(kept) <= 0.99 for kept in hits.values())
