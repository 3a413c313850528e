"""One label is made of several as the rule says, and nothing but the votes decides."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.readings_factory import readings
from lucency.data.ground_truth.consensus import (
    ADJUDICATED,
    FEW_READERS,
    NOT_READ,
    TIE,
    fuse,
    is_disputed,
    labels_by_rule,
)
from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError

NAN = np.nan
WELL, ILL = "level 0", "level 1"
SUITED_TO_ALL = ("majority", "any", "all", "weighted", "dawid_skene", "mean", "median")


def grades(votes: Sequence[Sequence[float]], n_levels: int = 4) -> Readings:
    return readings(votes, Scale.ORDINAL, n_levels)


def labels(votes: Readings, rule: str, **settings: object) -> list[str]:
    """Return the label of each image, or the code why it has none."""
    verdicts = fuse(votes, Consensus(rule=rule, **settings)).verdicts
    assert all(bool(one.target) != bool(one.code) for one in verdicts), "an image has a label or a reason, never both"
    return [one.target or one.code for one in verdicts]


def test_the_majority_decides() -> None:
    """Readers who did not see an image have no vote on it."""
    votes = readings([[1, 1, 0], [0, 0, 1], [NAN, 1, 1], [NAN, NAN, NAN], [2, 2, 1]])
    assert labels(votes, "majority") == [ILL, WELL, ILL, NOT_READ, "level 2"]


@pytest.mark.parametrize(
    ("ties", "two", "three"), [("refuse", TIE, TIE), ("positive", ILL, "level 2"), ("negative", WELL, "level 0")]
)
def test_even_votes_go_where_the_plan_sends_them(ties: str, two: str, three: str) -> None:
    """The safe way is to set the image aside; a plan may decide otherwise, and then for all images alike."""
    assert labels(readings([[1, 0], [1, 1]]), "majority", ties=ties) == [two, ILL]
    assert labels(readings([[0, 1, 2], [1, 1, 2]]), "majority", ties=ties) == [three, ILL]


def test_any_and_all_are_the_loosest_and_the_strictest_rule() -> None:
    """They never tie: one vote decides."""
    votes = readings([[0, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 0], [NAN, 1, NAN]])
    assert labels(votes, "any") == [ILL, ILL, ILL, WELL, ILL]
    assert labels(votes, "all") == [WELL, WELL, ILL, WELL, ILL]


def test_weights_decide_against_the_number_of_votes() -> None:
    """A reader of weight 0 has no vote; who is not named counts 1; equal sums are even votes."""
    votes = readings([[1, 0, 0], [0, 1, 1], [1, 1, 0]])
    assert labels(votes, "weighted", weights={"A": 3}) == [ILL, WELL, ILL]
    assert labels(votes, "weighted", weights={"A": 2}) == [TIE, TIE, ILL]
    assert labels(votes, "weighted", weights={"A": 0, "B": 0.2}) == [WELL, ILL, WELL]
    assert labels(readings([[1, NAN]]), "weighted", weights={"A": 0}) == [NOT_READ]


def test_the_word_of_one_reader_is_the_label() -> None:
    """What that reader did not see has no label, whoever else saw it."""
    votes = readings([[1, 0, 0], [NAN, 1, 1], [0, 1, 1]])
    assert labels(votes, "one_reader", reader="A") == [ILL, NOT_READ, WELL]


def test_grades_take_their_mean_or_median() -> None:
    """Four grades: the mean minds how far off a reader is, the median does not; halfway is an even vote."""
    votes = grades([[0, 0, 3], [1, 2, 3], [0, 3, 3], [1, 2, NAN], [1, 2, 2]])
    assert labels(votes, "mean") == ["level 1", "level 2", "level 2", TIE, "level 2"]
    assert labels(votes, "median") == ["level 0", "level 2", "level 3", TIE, "level 2"]
    assert labels(votes, "mean", ties="positive")[3] == "level 2"
    assert labels(votes, "median", ties="negative")[3] == "level 1"


def test_images_that_too_few_readers_saw_have_no_label() -> None:
    """One reader's word is no consensus where the plan asks for two."""
    votes = readings([[1, NAN, NAN], [1, 1, NAN], [NAN, NAN, NAN]])
    assert labels(votes, "majority", least_readers=2) == [FEW_READERS, ILL, NOT_READ]


@pytest.mark.parametrize("rule", SUITED_TO_ALL)
def test_a_decision_overrules_every_vote(rule: str) -> None:
    """Also where the rule has no answer, or no reader saw the image; the note tells that somebody decided."""
    votes = grades([[1, 0, NAN], [1, 1, 1], [NAN, NAN, NAN], [0, 0, 0]], n_levels=2)
    found = fuse(votes, Consensus(rule=rule), {"i0": ILL, "i1": WELL, "i2": WELL}).verdicts
    assert [one.target for one in found] == [ILL, WELL, WELL, WELL]
    assert [one.notes for one in found] == [(ADJUDICATED,)] * 3 + [()]
    assert found[1].agreement == 0
    assert found[2].agreement is None


def test_every_verdict_tells_the_votes() -> None:
    """Who reads labels.csv must see who said what, and how many said what counts."""
    first, second = fuse(readings([[1, NAN, 1, 0], [0, 1, NAN, NAN]]), Consensus()).verdicts
    assert first.votes == "A=level 1; C=level 1; D=level 0"
    assert first.agreement == pytest.approx(2 / 3)
    assert (second.votes, second.agreement) == ("A=level 0; B=level 1", None)


def test_doubt_teaches_as_the_share_of_votes() -> None:
    """Two of three votes are a probability of two thirds; weighted votes count by their weight."""
    votes = readings([[1, 1, 0], [1, 1, 1]])
    soft = [one.probabilities for one in fuse(votes, Consensus(soft=True)).verdicts]
    assert soft == [pytest.approx({WELL: 1 / 3, ILL: 2 / 3}), pytest.approx({WELL: 0, ILL: 1})]
    weighted = fuse(votes, Consensus(rule="weighted", weights={"C": 0.5}, soft=True)).verdicts[0].probabilities
    assert weighted == pytest.approx({WELL: 0.2, ILL: 0.8})
    assert all(one.probabilities is None for one in fuse(votes, Consensus()).verdicts)
    assert fuse(votes, Consensus(soft=True), {"i0": ILL}).verdicts[0].probabilities is None


@pytest.mark.parametrize(
    ("votes", "settings", "said"),
    [
        (readings([[0, 1, 2]]), {"rule": "any"}, "is for two classes"),
        (readings([[0, 1, 2]]), {"rule": "all"}, "level 0, level 1, level 2"),
        (readings([[0, 1]]), {"rule": "mean"}, "needs grades in an order"),
        (readings([[0, 1]]), {"rule": "median"}, "readers.scale: ordinal"),
        (readings([[2.5, 3.1]], Scale.RATIO), {"rule": "majority"}, "are measurements"),
        (readings([[0, 1]]), {"rule": "one_reader", "reader": "Z"}, "reader “Z”, who is not in the tables. Readers: A, B."),
        (readings([[0, 1]]), {"rule": "weighted", "weights": {"Z": 2}}, "“Z”"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_suit_is_refused_with_a_sentence(
    votes: Readings, settings: dict[str, object], said: str
) -> None:
    """A rule that quietly does something else would be a wrong ground truth."""
    with pytest.raises(PlanError) as refusal:
        fuse(votes, Consensus(**settings))
    assert said in str(refusal.value)


def simulated(rates: np.ndarray, n_images: int, prevalence: float, seed: int) -> tuple[Readings, np.ndarray]:
    """Let readers of known error rates (axes: reader, level shown, level answered) read images of two classes."""
    draw = np.random.default_rng(seed)
    truth = (draw.random(n_images) < prevalence).astype(int)
    values = (draw.random((n_images, len(rates))) < rates[:, truth, 1].T).astype(float)
    values[draw.random(values.shape) < 0.1] = NAN
    return readings(values, n_levels=2), truth


def test_error_rates_are_recovered_and_the_estimate_beats_the_majority() -> None:
    """Two good readers and three poor ones: counting heads follows the poor ones."""
    right = np.array([[0.97, 0.95], [0.94, 0.96], [0.6, 0.7], [0.7, 0.55], [0.62, 0.6]])
    rates = np.stack([np.stack([right[:, 0], 1 - right[:, 0]], -1), np.stack([1 - right[:, 1], right[:, 1]], -1)], 1)
    votes, truth = simulated(rates, 4000, 0.3, seed=1)
    fitted = dawid_skene((votes.values[:, :, None] == np.arange(2)).astype(int))
    assert fitted.confusion == pytest.approx(rates, abs=0.05)
    assert fitted.prevalence == pytest.approx([0.7, 0.3], abs=0.02)
    shown = np.array([WELL, ILL])[truth]
    share = {rule: np.mean(labels(votes, rule) == shown) for rule in ("dawid_skene", "majority")}
    assert share["dawid_skene"] > share["majority"] + 0.05
    soft = fuse(votes, Consensus(rule="dawid_skene", soft=True)).verdicts
    told = np.array([one.probabilities[ILL] for one in soft if one.probabilities])
    known = np.array([one.probabilities is not None for one in soft])
    sure = (told > 0.9) & (told < 0.99)  # calibrated: of the images given about 95 % nearly as many are ill
    assert truth[known][sure].mean() == pytest.approx(told[sure].mean(), abs=0.04)


def test_two_readers_are_too_few_for_error_rates() -> None:
    """With two, any share of blame fits; the reader of the study must be told."""
    notes = fuse(readings([[0, 1], [1, 1], [0, 0]]), Consensus(rule="dawid_skene")).notes
    assert any("three readers" in note for note in notes)


def test_disputes_are_where_two_readers_differ() -> None:
    """One reader alone, or nobody, is no dispute."""
    votes = readings([[1, 1, NAN], [1, 0, 1], [NAN, 1, NAN], [NAN, NAN, NAN], [NAN, 0, 1]])
    assert is_disputed(votes).tolist() == [False, True, False, False, True]


def test_the_table_by_rule_holds_each_rule_that_suits_and_each_reader() -> None:
    """Grades of four levels have no “any”; two readers have no Dawid–Skene; nominal labels have no median."""
    two = labels_by_rule(readings([[1, 0], [1, 1]]))
    assert list(two) == ["majority vote", "positive by any reader", "positive by all readers", "reader A", "reader B"]
    assert two["majority vote"] == {"i1": ILL}
    assert two["reader B"] == {"i0": WELL, "i1": ILL}
    three = labels_by_rule(grades([[0, 1, 3]]))
    assert list(three)[:3] == ["majority vote", "median", "Dawid and Skene"]


VOTES = st.integers(2, 4).flatmap(
    lambda n_readers: st.lists(
        st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=n_readers, max_size=n_readers), min_size=2, max_size=8
    )
)


@pytest.mark.parametrize("rule", SUITED_TO_ALL)
@given(votes=VOTES, data=st.data())
def test_the_order_of_images_and_readers_changes_no_label(
    rule: str, votes: list[list[float]], data: st.DataObject
) -> None:
    """A consensus that depends on who is named first is none."""
    images = data.draw(st.permutations(range(len(votes))))
    readers = data.draw(st.permutations(range(len(votes[0]))))
    turned = np.array(votes)[images][:, readers]
    before = labels(grades(votes, 2), rule)
    assert labels(grades(turned.tolist(), 2), rule) == [before[image] for image in images]


def test_even_error_rates_are_even_in_any_order() -> None:
    """Readers who cancel each other out leave an image open; the rounding of sums must not decide."""
    votes = np.array([[0, 0, 0, NAN], [NAN, NAN, 0, 1], [NAN, 1, 1, 0], [0, NAN, 1, 0], [1, NAN, NAN, 1]])
    draw = np.random.default_rng(1)
    found = set()
    for _ in range(50):
        images, readers = draw.permutation(5), draw.permutation(4)
        turned = labels(readings(votes[images][:, readers], n_levels=2), "dawid_skene")
        found.add(tuple(label for _, label in sorted(zip(images, turned, strict=True))))
    assert len(found) == 1


@pytest.mark.parametrize("rule", SUITED_TO_ALL)
@given(votes=VOTES)
def test_what_all_readers_say_is_the_label(rule: str, votes: list[list[float]]) -> None:
    """An image on which all agree has no other label by a rule that counts votes."""
    found = labels(grades(votes, 2), rule)
    for row, label in zip(votes, found, strict=True):
        said = {value for value in row if not np.isnan(value)}
        if len(said) == 1 and rule != "dawid_skene":  # which may well think that readers who always err are wrong
            assert label == (WELL, ILL)[int(said.pop())]


def test_unanimous_images_keep_their_label_by_error_rates_of_sound_readers() -> None:
    """Where readers are mostly right, all of them together are."""
    votes, _ = simulated(np.tile([[0.9, 0.1], [0.15, 0.85]], (4, 1, 1)), 500, 0.4, seed=2)
    found = labels(votes, "dawid_skene")
    whole = ~np.isnan(votes.values).any(axis=1)
    for row, label, is_whole in zip(votes.values, found, whole, strict=True):
        if is_whole and len(set(row)) == 1:
            assert label == (WELL, ILL)[int(row[0])]
