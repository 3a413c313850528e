"""Images for the report of a study that measures a number: samples, the worst predictions, what the network looked at."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.measurements import Measurements
from lucency.domain.regression_plan import Regression
from lucency.study.pictures import ERRORS, N_SAMPLES, SALIENCY, overlay, show_chosen, write_pictures
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.training.examples import ImageExamples


def show_samples_of_numbers(study: Study, training: "ImageExamples") -> list[str]:
    """Write training images from the smallest number to the largest, and two of them augmented several times."""
    targets = training.targets.double().numpy()
    chosen = _spread(targets, N_SAMPLES)
    return show_chosen(study, training, chosen.tolist(), [_written(study, value) for value in targets[chosen]])


def show_worst(study: Study, test: Measurements, examples: "ImageExamples") -> list[str]:
    """Write the test images whose prediction is off most."""
    worst = np.argsort(-np.abs(test.errors), kind="stable")[: study.plan.report.n_worst]
    pictures = [
        (
            image,
            {
                "image_id": test.image_ids[number],
                "truth": float(test.truth[number]),
                "predicted": float(test.predicted[number]),
            },
        )
        for number, image in zip(worst, examples.inputs(worst).numpy(), strict=True)
    ]
    return write_pictures(study, ERRORS, "error", pictures)


def show_saliency_of_numbers(
    study: Study, test: Measurements, examples: "ImageExamples", network: "nn.Module"
) -> list[str]:
    """Write maps of what raised the number, from the smallest truth to the largest, with the check by randomised weights."""
    from lucency.explanation.saliency import saliency
    from lucency.explanation.sanity_check import check_by_randomisation

    n_cases = study.plan.explanation.n_cases
    if n_cases == 0 or len(test) == 0:
        return [study.folder.write_json(SALIENCY, None)]
    chosen = _spread(test.truth, n_cases)
    images = examples.inputs(chosen)
    maps = saliency(network, images, [0] * len(chosen))
    patients = [test.patient_ids[number] for number in chosen]
    check = check_by_randomisation(network, images, study.plan.seed, patients, study.plan.evaluation.level)
    pictures = [
        (
            overlay(image, heat),
            {
                "caption": f"{test.image_ids[number]}: truth {_written(study, test.truth[number])}, network "
                f"{_written(study, test.predicted[number])}",
                "similarity_after_randomisation": None if np.isnan(similar) else float(similar),
            },
        )
        for number, image, heat, similar in zip(chosen, images.numpy(), maps.maps, check.similarity, strict=True)
    ]
    files = write_pictures(study, SALIENCY, "saliency", pictures)
    facts = {
        "method": maps.method,
        "verdict": check.verdict,
        "similarity": asdict(check.median),
        "cases": study.folder.read_json(SALIENCY),
    }
    study.folder.write_json(SALIENCY, facts)
    return files


def _spread(numbers: NDArray[np.float64], n_wanted: int) -> NDArray[np.int64]:
    """Return places of numbers evenly spread from the smallest to the largest, each at most once."""
    order = np.argsort(numbers, kind="stable")
    return order[np.unique(np.linspace(0, len(order) - 1, min(n_wanted, len(order))).round().astype(np.int64))]


def _written(study: Study, value: float) -> str:
    regression = study.plan.regression or Regression()
    return f"{value:.{_n_decimals(value)}f} {regression.unit}".strip()


def _n_decimals(value: float) -> int:
    """Return how many decimals show four digits."""
    return max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
