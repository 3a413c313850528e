"""Intervals of agreement hold the truth as often as they promise, over simulated studies."""

import numpy as np
import pytest

from evaluation.readings_factory import readings
from lucency.domain.readings import Scale
from lucency.evaluation.agreement.cohen import cohen_kappa
from lucency.evaluation.agreement.fleiss import fleiss_kappa
from lucency.evaluation.agreement.gwet import gwet_ac
from lucency.evaluation.agreement.intraclass import IccForm, intraclass_correlation
from lucency.evaluation.agreement.krippendorff import krippendorff_alpha

N_STUDIES = 300

pytestmark = pytest.mark.slow


def yes_or_no(random, n_patients, n_readers, prevalence, right, n_each=1, missing=0.0):
    """Readers who are right by a chance of their own; all images of a patient show the same."""
    truth = np.repeat(random.random(n_patients) < prevalence, n_each)[:, None]
    values = np.where(random.random((truth.size, n_readers)) < right, truth, ~truth).astype(float)
    values[random.random(values.shape) < missing] = np.nan
    return readings(values, n_levels=2, patients=np.repeat(np.arange(n_patients), n_each))


SETTINGS = {
    "100 images, four readers with gaps": (100, 4, 0.2, 0.9, 1, 0.2),
    "200 images, kappa of 0.92": (200, 2, 0.5, 0.98),
    "100 images, a finding in 3 %": (100, 2, 0.03, 0.97),
    "20 images": (20, 2, 0.5, 0.85),
    "50 patients with three images": (50, 3, 0.4, 0.85, 3),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_intervals_of_categories_cover(setting):
    """Alpha, AC1 and Fleiss' kappa over all readers, Cohen's kappa of two."""
    arguments = SETTINGS[setting]
    coefficients = [krippendorff_alpha, gwet_ac, fleiss_kappa, lambda made: cohen_kappa(made, "A", "B")]
    many = yes_or_no(np.random.default_rng(0), 30_000, *arguments[1:])
    truth = [coefficient(many).value for coefficient in coefficients]
    random = np.random.default_rng(1)
    studies = [yes_or_no(random, *arguments) for _ in range(N_STUDIES)]
    for coefficient, value in zip(coefficients, truth, strict=True):
        estimates = [coefficient(study) for study in studies]
        kept = np.mean([each.low <= value <= each.high for each in estimates if each.low is not None])
        assert 0.92 <= kept <= 0.98, estimates[0].name


@pytest.mark.parametrize(("form", "value"), [(IccForm.ICC_2_1, 4 / 5.25), (IccForm.ICC_3_1, 4 / 5)])
@pytest.mark.parametrize("n_readers", [3, 5])
def test_intervals_of_the_correlation_cover(form, value, n_readers):
    """Images spread by 2, readers by 0.5, the rest by 1; forty images."""
    random = np.random.default_rng(2)
    kept = []
    for _ in range(1000):
        values = random.normal(0, 2, (40, 1)) + random.normal(0, 0.5, n_readers) + random.normal(0, 1, (40, n_readers))
        estimate = intraclass_correlation(readings(values, Scale.INTERVAL), form)
        kept.append(estimate.low <= value <= estimate.high)
    assert 0.92 <= np.mean(kept) <= 0.98
