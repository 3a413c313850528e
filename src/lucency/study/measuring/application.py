"""Measure new images: the number, and a prediction interval from how far the tuning part was off."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucency.domain.measurements import LearntRange
from lucency.domain.regression_plan import Regression
from lucency.study.applying.application import APPLY, Answer, Answering, Application, Measured, NewImage, stacked
from lucency.study.applying.likeness import learn_likeness
from lucency.study.measuring.regression import LEARNT_RANGE, MEASURING, within_limits
from lucency.study.naming.classes import TUNING_PREDICTIONS
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_measurements
from lucency.study.training import files_of_networks, load_member, members

INTERVAL = "application/interval.json"
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
    """Learn from the tuning part how far off a measurement may be, and what the training images look like."""
    from lucency.evaluation.prediction_interval import reach_of_errors

    tuning, level = read_measurements(study.folder, TUNING_PREDICTIONS)[-1], study.plan.evaluation.level
    reach = reach_of_errors(tuning.errors, np.array(tuning.patient_ids), level)
    if reach is None:
        study.desk.say(f"The tuning part has too few patients for a prediction interval of {level:.0%}; none is given.")
    facts = {"level": level, "reach": reach, "n_patients": len(set(tuning.patient_ids))}
    return [study.folder.write_json(INTERVAL, facts), *learn_likeness(study, MEASURING)]


def _answering(study: Study) -> Answering:
    import torch

    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.examples import ImageExamples
    from lucency.training.prediction import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    networks = [device.setup(load_member(MEASURING, study, member)) for member in members(study.plan)]
    interval, learnt = study.folder.read_json(INTERVAL), LearntRange(**study.folder.read_json(LEARNT_RANGE))

    def answer(images: Sequence[NewImage], out: Path) -> list[list[Answer]]:  # noqa: ARG001 - masks need the folder
        n = len(images)
        examples = ImageExamples(stacked(images), np.arange(n), torch.zeros(n), np.zeros(n, np.uint64))
        said = [within_limits(study.plan, predict(one, examples, device)[:, 0].double().numpy()) for one in networks]
        return [[_answer(study, float(number), interval, learnt)] for number in np.mean(said, axis=0)]

    return answer


def _answer(study: Study, number: float, interval: dict[str, Any], learnt: LearntRange) -> Answer:
    asked, level = study.plan.regression or Regression(), interval["level"]
    unit = f" {asked.unit}" if asked.unit else ""
    coded = UCUM.get(asked.unit, "1")
    numbers = [Measured(asked.as_title, number, "value", coded)]
    basis = "no prediction interval: too few patients in the tuning part"
    if interval["reach"] is not None:
        low, high = within_limits(
            study.plan, np.array([number - interval["reach"], number + interval["reach"]])
        ).tolist()
        numbers += [
            Measured(f"Lower end of the {level:.0%} prediction interval", low, "low", coded),
            Measured(f"Upper end of the {level:.0%} prediction interval", high, "high", coded),
        ]
        basis = f"{level:.0%} prediction interval {low:.4g} to {high:.4g}{unit}"
    if not learnt.lowest <= number <= learnt.highest:
        basis += f"; beyond the numbers that were learnt from ({learnt.lowest:.4g} to {learnt.highest:.4g}{unit})"
    return Answer(f"{number:.4g}{unit}", tuple(numbers), basis=basis)


NUMBERS = Application(
    MEASURING,
    Stage(
        APPLY,
        "What new images are compared with is known.",
        lambda study: {"seed": study.plan.seed, "level": study.plan.evaluation.level},
        lambda plan: [*MEASURING.reads(plan), *files_of_networks(MEASURING, plan), TUNING_PREDICTIONS, LEARNT_RANGE],
        _prepare,
    ),
    _answering,
)
