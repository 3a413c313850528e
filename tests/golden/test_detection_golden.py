"""Figures of merit of the TONY data set, as RJafroc computes them (testthat goodValues361, commit 44b0e39).

The marks are read where they lie and are no part of this project.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from lucency.evaluation.detection.afroc import afroc_area, inferred_auc
from lucency.evaluation.detection.froc import froc_curve
from lucency.evaluation.detection.matching import NO_LESION, Matched

TABLES = Path(__file__).parents[3] / "shared" / "reference" / "statistics"


@pytest.fixture(scope="module")
def tables():
    if not (TABLES / "froc_TONY_marks.csv").exists():
        pytest.skip("the reference tables (../shared/reference) are not here")
    read = {}
    for name in ("marks", "truth", "expected_fom"):
        with (TABLES / f"froc_TONY_{name}.csv").open() as file:
            read[name] = list(csv.reader(file))[1:]
    return read


@pytest.mark.real
@pytest.mark.parametrize("modality", ["1", "2"])
@pytest.mark.parametrize("reader", ["1", "2", "3", "4", "5"])
def test_figures_of_merit_are_those_of_rjafroc(tables, modality, reader):
    """Seven quantities of each of ten readings, to the last digit."""
    matched = reading(tables, modality, reader)
    curve = froc_curve(matched)
    found = {
        "AFROC": afroc_area(matched),
        "AFROC1": afroc_area(matched, "all"),
        "wAFROC": afroc_area(matched, is_weighted=True),
        "wAFROC1": afroc_area(matched, "all", is_weighted=True),
        "HrAuc": inferred_auc(matched),
        "MaxLLF": curve.sensitivity[-1],
    }
    label = {"1": "BT", "2": "DM"}[modality]
    expected = {row[0]: float(row[1 + int(reader)]) for row in tables["expected_fom"] if row[1] == label}
    for name, value in found.items():
        assert value == pytest.approx(expected[name], abs=1e-12), name


def reading(tables, modality, reader):
    """Put one reader's marks in one modality together; each case is a patient."""
    cases = [case for case, *_ in tables["truth"]]
    n_lesions = [int(n) for _, _, n, _ in tables["truth"]]
    first = np.cumsum([0, *n_lesions])
    rows = [row[2:] for row in tables["marks"] if row[:2] == [modality, reader]]
    image = np.array([cases.index(case) for case, *_ in rows])
    lesion = [
        NO_LESION if kind == "NL" else first[i] + int(float(n)) - 1
        for i, (_, kind, n, _) in zip(image, rows, strict=True)
    ]
    scores = np.array([float(rating) for *_, rating in rows])
    order = np.argsort(-scores, kind="stable")
    image_of_lesion = np.repeat(np.arange(len(cases)), n_lesions)
    return Matched(np.arange(len(cases)), image_of_lesion, order, image[order], scores[order], np.array(lesion)[order])
