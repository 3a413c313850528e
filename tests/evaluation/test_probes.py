"""The features and verdicts of the probes; how often they find what was planted is counted in tests/reliability."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.cohorts import WHITE, noise, probed, row
from lucency.errors import SealError
from lucency.evaluation.shortcuts import ProbedImages, border_features, find_shortcuts, thumbnail_features


def test_a_probe_refuses_the_test_part() -> None:
    """The seal holds in code, not by agreement."""
    with pytest.raises(SealError, match="test part"):
        ProbedImages([row(0)], ["test"], np.zeros(1, np.int64), np.zeros((1, 1)), np.zeros((1, 1)))


@pytest.mark.parametrize("shape", [(3, 1, 64, 64), (2, 3, 40, 56), (2, 1, 28, 9), (2, 5, 16, 16)])
def test_features_are_those_of_plain_loops(shape: tuple[int, ...]) -> None:
    """Cell by cell with slices: grey, colour, not square, narrow, and volumes."""
    pictures = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    grey = pictures.mean(axis=1) / WHITE
    rows, columns = (np.round(np.linspace(0, side, 9)).astype(int) for side in shape[2:])
    expected = [[image[a:b, c:d].mean() for a, b in itertools.pairwise(rows)
                 for c, d in itertools.pairwise(columns)] for image in grey]  # fmt: skip
    assert thumbnail_features(pictures, WHITE) == pytest.approx(np.array(expected), abs=1e-5)
    width = max(1, round(0.08 * min(shape[2:])))
    border = border_features(pictures, WHITE)
    top = grey[:, :width]
    n_cells = max(1, round(shape[3] / width))
    starts = np.append(np.round(np.linspace(0, shape[3], n_cells, endpoint=False)).astype(int), shape[3])
    brightest = [[band[:, a:b].max() for a, b in itertools.pairwise(starts)] for band in top]
    assert border[:, :n_cells] == pytest.approx(np.array(brightest), abs=1e-5)


def test_the_border_does_not_see_the_middle() -> None:
    """What changes inside the frame must not change its features."""
    pictures = noise(4, np.random.default_rng(2))
    painted = pictures.copy()
    painted[:, :, 5:-5, 5:-5] = 255
    assert np.array_equal(border_features(pictures, WHITE), border_features(painted, WHITE))


def test_sixteen_bits_and_eight_bits_have_the_same_features() -> None:
    """The store holds either; a level v of 8 bits is 257 v of 16."""
    pictures = noise(4, np.random.default_rng(2))
    deep = pictures.astype(np.uint16) * 257
    assert thumbnail_features(deep, 65535) == pytest.approx(thumbnail_features(pictures, WHITE), abs=1e-6)


def test_the_auc_is_that_of_scikit_learn() -> None:
    """Another division into folds gives nearly the same AUC of predictions for unseen patients."""
    random = np.random.default_rng(3)
    n = 400
    targets = np.repeat(random.integers(0, 2, n // 2), 2)
    images = [row(i, i // 2) for i in range(n)]
    pictures = noise(n, random)
    pictures[..., :16, :16] = np.clip(pictures[..., :16, :16] + 6.0 * targets[:, None, None, None], 0, 255)
    asked = probed(images, targets, pictures)
    ours = next(probe for probe in find_shortcuts(asked, seed=1) if probe.name == "thumbnail").estimate
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    scores = cross_val_predict(
        model, asked.thumbnail, targets, groups=np.arange(n) // 2, cv=GroupKFold(5), method="decision_function"
    )
    assert ours.value == pytest.approx(roc_auc_score(targets, scores), abs=0.03)
    assert ours.n_clusters == n // 2
    assert "clustered by patient" in ours.method


def test_memory_of_a_patient_is_no_shortcut() -> None:
    """Images of one patient are alike; folds by image would find the patient, folds by patient find nothing."""
    random = np.random.default_rng(4)
    pictures = np.repeat(noise(100, random), 4, axis=0)
    targets = np.repeat(random.integers(0, 2, 100), 4)
    verdicts = find_shortcuts(probed([row(i, i // 4) for i in range(400)], targets, pictures), seed=1)
    assert not [probe for probe in verdicts if probe.verdict == "found"]


def test_the_header_names_what_tells_the_label() -> None:
    """The most telling variable first, with what it gives alone."""
    random = np.random.default_rng(5)
    targets = random.integers(0, 2, 300)
    images = [
        row(i, view="AP" if random.random() < (0.9 if t else 0.1) else "PA", sex="FM"[i % 2])
        for i, t in enumerate(targets)
    ]
    header = find_shortcuts(probed(images, targets, noise(300, random)), seed=1)[0]
    assert header.verdict == "found"
    assert "with their AUC: view (0." in header.text
    assert "sex" not in header.text


def test_a_number_that_tells_by_its_middle_is_found() -> None:
    """Neither high nor low ages but those between are ill; a straight line through age would see nothing."""
    random = np.random.default_rng(6)
    ages = random.integers(20, 90, 400)
    targets = ((ages > 40) & (ages < 65)).astype(np.int64)
    images = [row(i, age_years=str(age)) for i, age in enumerate(ages)]
    assert find_shortcuts(probed(images, targets, noise(400, random)), seed=1)[0].verdict == "found"


def test_not_being_recorded_can_tell_the_label() -> None:
    """Ages that only the ill have written down give the label away as well as any marker."""
    random = np.random.default_rng(7)
    targets = random.integers(0, 2, 300)
    images = [row(i, age_years=str(random.integers(20, 90)) if t else "") for i, t in enumerate(targets)]
    assert find_shortcuts(probed(images, targets, noise(300, random)), seed=1)[0].verdict == "found"


def test_a_site_that_the_image_tells_is_harmless_until_it_tells_the_label() -> None:
    """Two sites with different exposure: first with equal prevalence, then with 80 against 20 %."""
    random = np.random.default_rng(8)
    n = 400
    sites = random.integers(0, 2, n)
    pictures = np.clip(noise(n, random) + 60.0 * sites[:, None, None, None], 0, 255).astype(np.uint8)
    images = [row(i, site="AB"[s]) for i, s in enumerate(sites)]
    for shares, verdict in (((0.5, 0.5), "harmless"), ((0.8, 0.2), "found")):
        targets = (random.random(n) < np.array(shares)[sites]).astype(np.int64)
        probes = {probe.name: probe for probe in find_shortcuts(probed(images, targets, pictures), seed=1)}
        assert probes["site"].verdict == verdict


def test_what_cannot_be_asked_says_why() -> None:
    """Too few patients of a class, or a header that says nothing, is not a clean bill of health."""
    random = np.random.default_rng(9)
    targets = np.arange(30) < 5
    few = find_shortcuts(probed([row(i) for i in range(30)], targets.astype(np.int64), noise(30, random)), seed=1)
    assert {probe.verdict for probe in few} == {"unknown"}
    assert "fewer than 10 patients" in few[1].text
    alike = find_shortcuts(probed([row(i) for i in range(30)], np.arange(30) % 2, noise(30, random)), seed=1)
    assert "nothing is recorded" in alike[0].text


def test_three_classes_are_asked_together() -> None:
    """The macro-average AUC takes the place of the AUC."""
    random = np.random.default_rng(10)
    targets = np.arange(300) % 3
    images = [row(i, view=("PA", "AP", "LL")[t]) for i, t in enumerate(targets)]
    header = find_shortcuts(probed(images, targets, noise(300, random)), seed=1)[0]
    assert header.estimate.name == "macro-average AUC"
    assert header.estimate.value == pytest.approx(1, abs=1e-6)
    assert header.verdict == "found"
