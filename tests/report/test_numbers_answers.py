"""The report of a measurement: its sentences, figures and limitations."""

from dataclasses import replace

import material_factory
import numpy as np
import pytest

from lucency.domain.estimate import Estimate
from lucency.domain.measurements import Baseline, LearntRange, Measurements
from lucency.domain.plan import Plan
from lucency.domain.regression_plan import Regression
from lucency.evaluation.regression import evaluate_regression
from lucency.report import words
from lucency.report.answers.numbers import Numbers, WorstCase
from lucency.report.answers.numbers_figures import MOST_POINTS
from lucency.report.material import Material
from lucency.report.page import render, render_with_figures

REGRESSION = Regression(quantity="nodule volume", unit="ml", tolerance=0.5)


def measured(part: str, noise: float, n: int = 120) -> Measurements:
    random = np.random.default_rng(4)
    truth = random.lognormal(1, 0.5, n)
    ids = tuple(f"i{place}" for place in range(n))
    return Measurements(part, "ensemble", ids, ids, truth, truth + random.normal(0, noise, n))


def study(noise: float = 0.3, n: int = 120) -> Material:
    """Make a study whose network is off by so much, against the mean of the training part."""
    tuning, test = measured("tuning", noise, n), measured("test", noise, n)
    estimates = [
        estimate
        for one in (test, tuning)
        for estimate in evaluate_regression(
            one, [Baseline("mean of the training part", np.full(n, 3.0))], regression=REGRESSION
        )
    ]
    made = material_factory.two_classes()
    plan = Plan.model_validate(
        {
            "task": "regression",
            "data": {"images": "images", "labels": {"from": "table", "table": "t.csv"}, "patient": "each_image"},
            "regression": REGRESSION.model_dump(),
        }
    )
    learnt = LearntRange(500, 3.1, 1.5, 0.6, 2.0, 2.8, 3.9, 11.0)
    worst = (WorstCase("i1", 10.0, 2.5, made.samples[0].png),)
    labels = tuple(replace(row, target="2.5") for row in made.labels)
    answers = Numbers(REGRESSION, learnt, tuning, test, worst, None)
    return replace(made, plan=plan, labels=labels, answers=answers, estimates=tuple(estimates))


def test_the_result_is_told_in_its_unit_and_against_the_mean():
    """A reader who knows no statistics learns how far off, whether that is any good, and how often it suffices."""
    material = study()
    said = " ".join(material.answers.result_sentences(material))
    assert "On average the network is off by 0.2" in said
    assert " ml (95" in said
    assert "smaller than by always answering the mean of the training part" in said
    assert "It stays within 0.5 ml on" in said
    assert "neither clearly too high nor too low" in said


def test_a_network_that_does_not_beat_the_mean_is_called_so():
    """The gravest weakness comes first, in the sentences and among the limitations."""
    material = study(noise=3)
    said = " ".join(material.answers.result_sentences(material))
    assert "It is worse than always answering the mean" in said
    titles = [one.title for one in material.answers.limitations(material)]
    assert titles[0].startswith("No gain over the mean")
    assert not any("No gain" in one.title for one in study().answers.limitations(study()))


def test_the_range_that_was_learnt_is_told():
    """Test images beyond it are counted."""
    material = study()
    n_beyond = int((material.answers.test.truth < 0.6).sum() + (material.answers.test.truth > 11).sum())
    told = next(one for one in material.answers.limitations(material) if "beyond" in one.title)
    assert "from 0.6 ml to 11 ml" in told.text
    assert (f"{n_beyond} test images" in told.text) == (n_beyond > 0)


def test_the_page_shows_measurements_and_no_classes():
    """Every block of the page works without classes, thresholds and ROC curves."""
    page = render(study())
    results = page.split('id="results"')[1].split('id="limitations"')[0]
    for expected in ("Bland–Altman plot", "Calibration of the mean", "Worst cases", "10 ml", "against the mean"):
        assert expected in results or expected in page
    for absent in ("ROC curve", "confusion matrix", "threshold</a>"):
        assert absent not in results


def test_thousands_of_dots_stay_a_light_figure():
    """Dots are thinned evenly over the truth."""
    svg = render_with_figures(study(n=4000)).figures["identity"]
    assert svg.count("<circle") == MOST_POINTS


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "said"),
    [
        (2845.2, 2377.1, 3500.4, "pixels", "2,845 pixels (95\u202f%\u00a0CI 2,377–3,500)"),
        (0.35371, 0.2821, 0.4494, "ml", "0.354 ml (95\u202f%\u00a0CI 0.282–0.449)"),
        (-1.5, -2.25, -0.75, "", "−1.50 (95\u202f%\u00a0CI −2.25 to −0.75)"),
        (0.000123, 0.0001, 0.00015, "m", "0.000123 m (95\u202f%\u00a0CI 0.000100–0.000150)"),
        (0.0, 0.0, 0.0, "mm", "0 mm (95\u202f%\u00a0CI 0–0)"),
    ],
)
def test_quantities_have_three_digits_and_their_unit(value, low, high, unit, said):
    """Pixels need no decimals, millilitres do."""
    estimate = Estimate("mean absolute error", value, low, high, 9, "image", "BCa", measured_in=unit)
    assert words.quote(estimate) == said


@pytest.mark.parametrize(
    ("value", "said"), [(27951, "27,951"), (509.5, "509.5"), (0, "0"), (-0.00012346, "−0.0001235"), (10.0, "10")]
)
def test_a_number_is_written_without_powers_of_ten(value, said):
    """2.795e+04 is nothing that a radiologist reads."""
    assert words.rounded(value, 4) == said
