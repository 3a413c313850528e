"""Measure new images: the number in the unit of the study, and whether it lies within what was learnt."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.measurements import LearntRange
from lucency.domain.regression_plan import Regression
from lucency.study.application import APPLY, Answer, Answering, Application, Measured, NewImage, stacked
from lucency.study.likeness import learn_likeness
from lucency.study.regression import LEARNT_RANGE, MEASURING, within_limits
from lucency.study.stage import Stage, Study
from lucency.study.training import files_of_networks, load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

UCUM = {
    "mm": "mm",
    "cm": "cm",
    "mm²": "mm2",
    "cm²": "cm2",
    "mm³": "mm3",
    "ml": "mL",
    "%": "%",
    "years": "a",
    "months": "mo",
}
"""Units as a structured report codes them; any other stands in the words alone."""


def _prepare(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Learn what the training images look like."""
    return learn_likeness(study, MEASURING)


def _answering(study: Study) -> Answering:
    from lucency.training.device import fix_arithmetic, make_device

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(MEASURING, study, member)) for member in members(study.plan)]
    learnt = LearntRange(**study.folder.read_json(LEARNT_RANGE))
    regression = study.plan.regression or Regression()

    def answer(images: Sequence[NewImage], out: Path) -> list[list[Answer]]:  # noqa: ARG001 - masks need the folder
        return [[_answer(number, regression, learnt)] for number in _measured(study, networks, images).tolist()]

    return answer


def _measured(study: Study, networks: "Sequence[nn.Module]", images: Sequence[NewImage]) -> NDArray[np.float64]:
    """Return the mean of what all members measure, in the unit of the study, axis (image)."""
    import torch

    from lucency.training.device import make_device
    from lucency.training.examples import ImageExamples
    from lucency.training.prediction import predict

    n = len(images)
    examples = ImageExamples(stacked(images), np.arange(n), torch.zeros(n), np.zeros(n, np.uint64))
    device = make_device(study.plan.training)
    said = [predict(network, examples, device)[:, 0].double().numpy() for network in networks]
    return np.mean([within_limits(study.plan, one) for one in said], axis=0)


def _answer(number: float, regression: Regression, learnt: LearntRange) -> Answer:
    is_known = learnt.lowest <= number <= learnt.highest
    place = "within" if is_known else "beyond"
    measured = Measured(regression.in_words, number, "measured", UCUM.get(regression.unit, "1"))
    basis = f"{place} the numbers that were learnt ({learnt.lowest:.4g} to {learnt.highest:.4g})"
    return Answer(f"{number:.4g} {regression.unit}".strip(), (measured,), basis=basis)


NUMBERS = Application(
    MEASURING,
    Stage(
        APPLY,
        "What new images are compared with is known.",
        lambda study: {"seed": study.plan.seed},
        lambda plan: [*MEASURING.reads(plan), *files_of_networks(MEASURING, plan), LEARNT_RANGE],
        _prepare,
    ),
    _answering,
)
