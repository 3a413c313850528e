"""Properties that every coefficient of agreement has, whatever was read."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.readings_factory import readings
from lucency.domain.readings import Scale
from lucency.evaluation.agreement.cohen import cohen_kappa
from lucency.evaluation.agreement.description import describe_agreement
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.gwet import gwet_ac
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha
from lucency.evaluation.agreement.weighting import Weighting

pytestmark = pytest.mark.filterwarnings("error")  # a division by zero must not hide behind a warning


@st.composite
def read_images(draw):
    """Two to four readers, one to four levels, gaps anywhere, several images a patient; any scale."""
    n_images, n_readers = draw(st.integers(1, 15)), draw(st.integers(2, 4))
    n_levels = draw(st.integers(1, 4))
    choices = st.sampled_from([np.nan, *map(float, range(n_levels))])
    values = draw(
        st.lists(st.lists(choices, min_size=n_readers, max_size=n_readers), min_size=n_images, max_size=n_images)
    )
    patients = draw(st.lists(st.integers(0, n_images), min_size=n_images, max_size=n_images))
    return readings(values, draw(st.sampled_from(list(Scale))), n_levels, patients)


def coefficients(made):
    """Return every coefficient over all readers by name."""
    found = [krippendorff_alpha(made)]
    if made.is_categorical:
        found += [fleiss_kappa(made), gwet_ac(made), gwet_ac(made, Weighting.LINEAR)]
    else:
        found += [intraclass_correlation(made, form) for form in IccForm]
    return {estimate.name: estimate for estimate in found}


def approx(value):
    return None if value is None else pytest.approx(value, abs=1e-9)


@given(read_images(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_who_is_called_what_does_not_matter(made, random):
    """Readers without names agree as much, and images have no order."""
    rows, columns = list(range(len(made.image_ids))), list(range(len(made.readers)))
    random.shuffle(rows)
    random.shuffle(columns)
    other = replace(
        made, values=made.values[rows][:, columns], patient_ids=tuple(made.patient_ids[place] for place in rows)
    )
    theirs = coefficients(other)
    for name, estimate in coefficients(made).items():
        assert theirs[name].value == approx(estimate.value)
        if "ICC" not in name:  # whose draws at the edge of what can be computed hang on the last bit
            assert theirs[name].note == estimate.note
            assert (theirs[name].low, theirs[name].high) == (approx(estimate.low), approx(estimate.high))


@given(read_images())
@settings(max_examples=40)
def test_each_estimate_lies_in_its_interval_or_says_why_not(made):
    """No number without an interval or a reason, and none above 1."""
    for estimate in describe_agreement(made):
        if estimate.value is None or estimate.low is None:
            assert estimate.note
        else:
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
        if "kappa" in estimate.name or "alpha" in estimate.name:
            assert estimate.value is None or estimate.value <= 1 + 1e-9
        assert estimate.value is None or np.isfinite(estimate.value)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20), st.integers(2, 4), st.sampled_from(list(Scale)))
@settings(max_examples=40)
def test_readers_who_never_differ_agree_fully(truth, n_readers, scale):
    """1 is what the scale is made for; without two levels there is nothing to agree on."""
    made = readings(np.repeat(np.array(truth)[:, None], n_readers, axis=1), scale, 4)
    for name, estimate in coefficients(made).items():
        if len(set(truth)) > 1 or "AC" in name:
            assert estimate.value == pytest.approx(1)
        else:
            assert estimate.value is None


@given(read_images())
@settings(max_examples=40)
def test_images_entered_twice_change_no_value(made):
    """A copied table has the same agreement; alpha alone corrects for the number of readings, and does so less."""
    twice = replace(
        made,
        values=np.tile(made.values, (2, 1)),
        image_ids=made.image_ids * 2,
        patient_ids=made.patient_ids * 2,
    )
    again = coefficients(twice)
    for name, estimate in coefficients(made).items():
        if "ICC" in name or estimate.value is None:
            continue
        if "alpha" in name:
            paired = made.values[(~np.isnan(made.values)).sum(axis=1) > 1]
            n = (~np.isnan(paired)).sum()
            expected = 1 - (1 - estimate.value) * (2 * n - 1) / (2 * (n - 1))
            assert again[name].value == pytest.approx(expected, abs=1e-9)
        else:
            assert again[name].value == approx(estimate.value)
            if "bootstrap" in estimate.method and estimate.low is not None:
                assert (again[name].low, again[name].high) == (approx(estimate.low), approx(estimate.high))


@given(read_images(), st.permutations(range(4)))
@settings(max_examples=40)
def test_names_of_categories_do_not_matter(made, order):
    """Nominal coefficients know no order of the levels."""
    n_levels = 4
    codes = np.nan_to_num(made.values).astype(int)
    renamed = np.where(np.isnan(made.values), np.nan, np.array(order, float)[codes])
    levels = tuple("abcd"[:n_levels])
    first = replace(made, scale=Scale.NOMINAL, levels=levels)
    second = replace(first, values=renamed)
    for coefficient in (krippendorff_alpha, fleiss_kappa, gwet_ac):
        assert coefficient(second).value == approx(coefficient(first).value)
    assert cohen_kappa(second, "A", "B").value == approx(cohen_kappa(first, "A", "B").value)
