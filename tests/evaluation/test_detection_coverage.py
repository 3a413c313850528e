"""Intervals of detection hold the truth about as often as they promise."""

import numpy as np

from lucency.evaluation.detection.afroc import afroc_area, afroc_estimate
from lucency.evaluation.detection.froc import RATES, froc_estimates, sensitivities
from lucency.evaluation.detection.matching import NO_LESION, Matched

N_STUDIES = 60


def study(seed, n_patients):
    """Draw patients of one to three images; some patients are harder than others in all of theirs."""
    random = np.random.default_rng(seed)
    patients, image_of_lesion, marks = [], [], []
    for patient in range(n_patients):
        ease = random.normal(0, 0.7)
        for _ in range(random.integers(1, 4)):
            image = len(patients)
            patients.append(patient)
            for _ in range(random.choice([0, 0, 1, 1, 2])):
                if random.random() < 0.85:
                    marks.append((random.normal(1.2 + ease), image, len(image_of_lesion)))
                image_of_lesion.append(image)
            n_false = random.poisson(1.5 * np.exp(0.5 * ease - 0.06))
            marks += [(random.normal(), image, NO_LESION) for _ in range(n_false)]
    scores, images, lesions = (np.array(column) for column in zip(*marks, strict=True))
    order = np.argsort(-scores, kind="stable")
    return Matched(np.array(patients), np.array(image_of_lesion), order, images[order], scores[order], lesions[order])


def test_intervals_of_clustered_detections_cover():
    """Of 60 studies with 50 patients each, at least 51 hold the truth; 57 would be expected."""
    large = study(0, 20_000)
    truths = sensitivities(large, np.array(RATES)).mean(), np.mean([afroc_area(study(n, 2_000)) for n in range(1, 6)])
    held = np.zeros(2, int)
    for seed in range(N_STUDIES):
        drawn = study(1_000 + seed, 50)
        found = froc_estimates(drawn)[0], afroc_estimate(drawn, "lesion-free")
        held += [estimate.low <= truth <= estimate.high for estimate, truth in zip(found, truths, strict=True)]
    assert (held >= 51).all()
