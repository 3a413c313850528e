"""Fused readings reproduce published and independently computed numbers."""

import numpy as np
import pytest

from lucency.data.ground_truth.dawid_skene import dawid_skene
from lucency.data.ground_truth.staple import staple

ANESTHESIA = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1122111 3333433 2222223 "
    "2322223 4444444 2223343 1111111 2223212 1211111 1112111 1111111 1111111 "
    "2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 "
    "1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 "
    "2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222"
)
"""Dawid & Skene, Appl Stat 1979;28:20, table 1: 45 patients, graded three times by the first anaesthetist and once by four."""


def test_the_anaesthetists_of_dawid_and_skene():
    """Prevalences .40, .42, .11 and .07 as printed in 1979; more digits and the likelihood by the R package rater."""
    counts = np.zeros((45, 5, 4), int)
    for patient, grades in enumerate(ANESTHESIA.split()):
        for reader, grade in zip((0, 0, 0, 1, 2, 3, 4), grades, strict=True):
            counts[patient, reader, int(grade) - 1] += 1
    fit = dawid_skene(counts)
    assert fit.prevalence == pytest.approx([0.39997, 0.42158, 0.11179, 0.06667], abs=1e-5)
    assert fit.log_likelihood[-1] == pytest.approx(-190.731, abs=5e-4)
    assert np.diag(fit.confusion[0]) == pytest.approx([0.907, 0.877, 0.661, 0.444], abs=5e-4)
    assert fit.is_converged
    assert len(fit.notes) == 1  # the rarest grade is that of three patients


def test_three_readers_of_a_square():
    """Sensitivity and specificity as SimpleITK 2.5.7 and another implementation gave them, which agreed to six digits."""
    truth = np.zeros((16, 16), bool)
    truth[4:12, 4:12] = True
    masks = np.repeat(truth[None, None], 3, axis=0)
    masks[0, 0, 4] = False
    masks[1, 0, 12, 4:12] = True
    masks[2, 0, 4:12, 4] = False
    fused = staple(masks)
    assert fused.sensitivity == pytest.approx([0.87593905, 1.0, 0.87593905], abs=1e-6)
    assert fused.specificity == pytest.approx([1.0, 0.957991, 1.0], abs=1e-6)
    assert (fused.probability >= 0.5).sum() == 63
