"""One label of several readers, by each rule, or the reason why there is none."""

import numpy as np
import pytest

from lucency.data.codes import REFUSALS
from lucency.data.ground_truth.consensus import ADJUDICATED, fuse, is_disputed, labels_by_rule
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError

NEGATIVE, POSITIVE, UNSEEN = 0, 1, np.nan


def readings_of(
    values: list[list[float]],
    levels: tuple[str, ...] = ("no", "yes"),
    scale: Scale = Scale.NOMINAL,
    readers: tuple[str, ...] | None = None,
) -> Readings:
    array = np.array(values, float)
    images = tuple(f"i{number}" for number in range(len(array)))
    return Readings("label", images, images, readers or tuple("ABCDEFG"[: array.shape[1]]), scale, array, levels)


def labels(readings: Readings, decisions: dict[str, str] | None = None, **settings) -> list[str]:
    """Return the class of each image, or the code."""
    return [verdict.target or verdict.code for verdict in fuse(readings, Consensus(**settings), decisions).verdicts]


THREE = readings_of([[1, 1, 0], [0, 0, 1], [1, 0, UNSEEN], [UNSEEN, 1, UNSEEN], [UNSEEN] * 3, [1, 1, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["yes", "no", "E_TIE", "yes", "E_NOT_READ", "yes", "no"]),
        ({"ties": "positive"}, ["yes", "no", "yes", "yes", "E_NOT_READ", "yes", "no"]),
        ({"ties": "negative"}, ["yes", "no", "no", "yes", "E_NOT_READ", "yes", "no"]),
        ({"least_readers": 2}, ["yes", "no", "E_TIE", "E_FEW_READERS", "E_NOT_READ", "yes", "no"]),
        (
            {"least_readers": 3},
            ["yes", "no", "E_FEW_READERS", "E_FEW_READERS", "E_NOT_READ", "yes", "no"],
        ),
        ({"rule": "any"}, ["yes", "yes", "yes", "yes", "E_NOT_READ", "yes", "no"]),
        ({"rule": "all"}, ["no", "no", "no", "yes", "E_NOT_READ", "yes", "no"]),
        ({"rule": "weighted", "weights": {"C": 3}}, ["no", "yes", "E_TIE", "yes", "E_NOT_READ", "yes", "no"]),
        (
            {"rule": "weighted", "weights": {"A": 0.1, "B": 0.2, "C": 0.3}},
            ["E_TIE", "E_TIE", "no", "yes", "E_NOT_READ", "yes", "no"],
        ),
        (
            {"rule": "weighted", "weights": {"A": 1, "B": 0, "C": 0}},
            ["yes", "no", "yes", "E_NOT_READ", "E_NOT_READ", "yes", "no"],
        ),
        ({"rule": "one_reader", "reader": "C"}, ["no", "yes", "E_NOT_READ", "E_NOT_READ", "E_NOT_READ", "yes", "no"]),
    ],
)
def test_each_rule_on_three_readers(settings, expected):
    """Worked by hand: two against one, one against two, even, one alone, nobody, all."""
    assert labels(THREE, **settings) == expected
    assert set(expected) - {"yes", "no"} <= REFUSALS.keys()


def test_grades_have_a_middle():
    """The median of 1, 1, 3 is 1; that of 1 and 2 lies between two grades and is a tie; that of 1 and 3 is 2."""
    grades = readings_of([[0, 0, 2], [0, 1, UNSEEN], [0, 2, UNSEEN], [0, 0, 1], [2, 2, 0]], tuple("123"), Scale.ORDINAL)
    assert labels(grades, rule="median") == ["1", "E_TIE", "2", "1", "3"]
    assert labels(grades, rule="median", ties="positive") == ["1", "2", "2", "1", "3"]
    assert labels(grades, rule="median", ties="negative") == ["1", "1", "2", "1", "3"]
    assert labels(grades, rule="mean") == ["2", "E_TIE", "2", "1", "2"]
    assert labels(grades) == ["1", "E_TIE", "E_TIE", "1", "3"]
    assert labels(grades, ties="positive") == ["1", "2", "3", "1", "3"]


def test_several_classes_need_more_votes_than_any_other():
    """Three readers with three answers are even."""
    several = readings_of([[0, 1, 2], [2, 2, 1]], ("mass", "nodule", "normal"))
    assert labels(several) == ["E_TIE", "normal"]


def test_a_decision_overrules_every_vote():
    """Also where all agreed, and where nobody read."""
    fused = fuse(THREE, Consensus(), {"i2": "no", "i4": "yes", "i5": "no", "elsewhere": "yes"})
    assert [verdict.target or verdict.code for verdict in fused.verdicts] == [
        "yes",
        "no",
        "no",
        "yes",
        "yes",
        "no",
        "no",
    ]
    assert [ADJUDICATED in verdict.notes for verdict in fused.verdicts] == [
        False,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert [verdict.agreement for verdict in fused.verdicts] == [2 / 3, 2 / 3, 1 / 2, 1, None, 0, 1]


def test_votes_are_written_down():
    """Whoever reads labels.csv sees who said what."""
    assert [verdict.votes for verdict in fuse(THREE, Consensus()).verdicts][:5] == [
        *("A=yes; B=yes; C=no", "A=no; B=no; C=yes", "A=yes; B=no", "B=yes", ""),
    ]


def test_soft_labels_are_the_shares_of_the_votes():
    """Two of three is two thirds; a decision is certain, and rules that listen to one side have no shares."""
    soft = fuse(THREE, Consensus(soft=True), {"i1": "yes"}).verdicts
    assert soft[0].probabilities == pytest.approx({"no": 1 / 3, "yes": 2 / 3})
    assert soft[1].probabilities is None
    assert soft[2].probabilities is None
    weighted = fuse(THREE, Consensus(soft=True, rule="weighted", weights={"C": 2}), None).verdicts
    assert weighted[1].probabilities == pytest.approx({"no": 1 / 2, "yes": 1 / 2}) or weighted[1].code == "E_TIE"
    assert all(verdict.probabilities is None for verdict in fuse(THREE, Consensus()).verdicts)
    assert all(verdict.probabilities is None for verdict in fuse(THREE, Consensus(soft=True, rule="any")).verdicts)


def test_dawid_and_skene_listen_to_the_careful_reader():
    """Two careless readers against a careful one would win a majority."""
    draw = np.random.default_rng(5)
    truth = draw.integers(0, 2, 2_000)
    right = [0.98, 0.6, 0.6, 0.6, 0.9]
    values = np.stack([np.where(draw.random(2_000) < share, truth, 1 - truth) for share in right], axis=1)
    readings = readings_of(values.tolist())
    found = [
        label == ("no", "yes")[level] for label, level in zip(labels(readings, rule="dawid_skene"), truth, strict=True)
    ]
    majority = [label == ("no", "yes")[level] for label, level in zip(labels(readings), truth, strict=True)]
    assert np.mean(found) > np.mean(majority) + 0.08
    assert fuse(readings_of([[1, 0], [1, 1]]), Consensus(rule="dawid_skene")).notes


def test_every_rule_that_suits_is_compared():
    """The report shows how results change with the rule, so none may be missing."""
    by_rule = labels_by_rule(THREE)
    assert list(by_rule) == [
        *("majority vote", "positive by any reader", "positive by all readers", "Dawid and Skene"),
        *("reader A", "reader B", "reader C"),
    ]
    assert by_rule["majority vote"] == {"i0": "yes", "i1": "no", "i3": "yes", "i5": "yes", "i6": "no"}
    assert by_rule["reader C"] == {"i0": "no", "i1": "yes", "i5": "yes", "i6": "no"}
    grades = readings_of([[0, 1], [1, 2]], tuple("123"), Scale.ORDINAL)
    assert list(labels_by_rule(grades)) == ["majority vote", "median", "reader A", "reader B"]


def test_images_are_disputed_as_soon_as_two_readers_differ():
    """One reader alone does not disagree."""
    assert is_disputed(THREE).tolist() == [True, True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("readings", "settings", "message"),
    [
        (readings_of([[0, 2]], ("a", "b", "c")), {"rule": "any"}, "is for two classes"),
        (readings_of([[0, 2]], ("a", "b", "c")), {"rule": "all"}, "is for two classes"),
        (readings_of([[0, 2]], ("a", "b", "c")), {"ties": "positive"}, "nothing tells which is meant"),
        (THREE, {"rule": "median"}, "grades in an order"),
        (THREE, {"rule": "one_reader", "reader": "Z"}, "names the reader “Z”"),
        (THREE, {"rule": "weighted", "weights": {"Z": 1}}, "names the reader “Z”"),
        (readings_of([[1.5, 2]], (), Scale.RATIO), {}, "are measurements"),
    ],
)
def test_rules_that_do_not_suit_are_refused(readings, settings, message):
    """A rule that makes nonsense of the answers must not give labels."""
    with pytest.raises(PlanError, match=message):
        fuse(readings, Consensus(**settings))


def test_many_images_take_the_same_way():
    """100,000 images of five readers give what a few do; no test depends on how long it takes."""
    draw = np.random.default_rng(1)
    values = draw.integers(0, 2, (100_000, 5)).astype(float)
    values[draw.random(values.shape) < 0.2] = np.nan
    readings = readings_of(values.tolist())
    n_yes, n_read = np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1)
    expected = np.select([n_read == 0, 2 * n_yes > n_read, 2 * n_yes < n_read], ["E_NOT_READ", "yes", "no"], "E_TIE")
    assert labels(readings) == expected.tolist()
