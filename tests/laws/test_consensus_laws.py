"""Laws of consensus, for whatever readers say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucency.data.ground_truth.consensus import fuse, is_disputed, labels_by_rule
from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.domain.labels_plan import Consensus
from lucency.domain.readings import Readings, Scale

LEVELS = ("none", "mild", "severe")
RULES = [
    *(Consensus(rule=rule) for rule in ("majority", "median", "mean", "dawid_skene")),
    *(Consensus(rule=rule, ties="positive") for rule in ("majority", "median")),
    Consensus(rule="weighted", weights={"A": 2, "C": 0.5}),
    Consensus(least_readers=2, soft=True),
]


@st.composite
def readings(draw) -> Readings:
    """Draw grades of up to twelve images by three to five readers, some of whom did not see all."""
    n_images, n_readers = draw(st.integers(1, 12)), draw(st.integers(3, 5))
    grade = st.sampled_from([0.0, 1.0, 2.0, np.nan])
    rows = st.lists(grade, min_size=n_readers, max_size=n_readers)
    values = np.array(draw(st.lists(rows, min_size=n_images, max_size=n_images)))
    images = tuple(f"i{number}" for number in range(n_images))
    return Readings("label", images, images, tuple("ABCDE"[:n_readers]), Scale.ORDINAL, values, LEVELS)


def said(some: Readings, rule: Consensus) -> dict[str, str]:
    verdicts = fuse(some, rule).verdicts
    return {image: verdict.target or verdict.code for image, verdict in zip(some.image_ids, verdicts, strict=True)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.rule}-{rule.ties}")
@given(readings(), st.randoms(use_true_random=False))
def test_the_order_of_images_and_readers_changes_nothing(rule, some, random):
    """No reader is heard more for standing first in a table."""
    images, readers = list(range(len(some.image_ids))), list(range(len(some.readers)))
    random.shuffle(images)
    random.shuffle(readers)
    shuffled = replace(
        some,
        image_ids=tuple(some.image_ids[n] for n in images),
        patient_ids=tuple(some.patient_ids[n] for n in images),
        readers=tuple(some.readers[n] for n in readers),
        values=some.values[images][:, readers],
    )
    assert said(some, rule) == said(shuffled, rule)


@given(readings())
def test_unanimous_images_keep_their_label_under_every_vote(some):
    """Where all agree there is nothing to settle."""
    is_read = ~np.isnan(some.values).all(axis=1)
    agreed = {
        some.image_ids[n]: LEVELS[int(np.nanmax(some.values[n]))] for n in np.flatnonzero(is_read & ~is_disputed(some))
    }
    for name, labels in labels_by_rule(some).items():
        if name in ("majority vote", "median"):
            assert agreed.items() <= labels.items()
        if name.startswith("reader"):
            assert all(labels[image] == label for image, label in agreed.items() if image in labels)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.rule}-{rule.ties}")
@given(readings())
def test_every_image_ends_in_a_label_or_a_reason(rule, some):
    """Never in neither, never in both; shares add up to one."""
    for verdict, values in zip(fuse(some, rule).verdicts, some.values, strict=True):
        assert bool(verdict.target) != bool(verdict.code)
        assert (verdict.code == "E_NOT_READ") == np.isnan(values).all()
        if verdict.probabilities:
            assert sum(verdict.probabilities.values()) == pytest.approx(1)
        assert verdict.votes.count("=") == (~np.isnan(values)).sum()


@given(readings(), st.dictionaries(st.sampled_from([f"i{n}" for n in range(12)]), st.sampled_from(LEVELS)))
def test_decisions_are_kept_to_the_letter_and_touch_no_other_image(some, decisions):
    """Under every rule."""
    for rule in RULES:
        before = said(some, rule)
        verdicts = fuse(some, rule, decisions).verdicts
        after = {image: one.target or one.code for image, one in zip(some.image_ids, verdicts, strict=True)}
        assert after == before | {image: level for image, level in decisions.items() if image in before}


@given(readings())
def test_dawid_and_skene_climb(some):
    """The likelihood never falls, probabilities add up to one, and so do error rates."""
    fit = dawid_skene((some.values[:, :, None] == np.arange(3)).astype(int))
    assert (np.diff(fit.log_likelihood) > -1e-9).all()
    is_read = ~np.isnan(some.values).all(axis=1)
    assert np.allclose(fit.probability[is_read].sum(axis=1), 1)
    assert np.isnan(fit.probability[~is_read]).all()
    rates = fit.confusion.sum(axis=2)
    assert np.allclose(rates[~np.isnan(rates)], 1)
