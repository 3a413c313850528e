"""What does not go together where a number is measured, because it speaks of classes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lucency.domain.regression_plan import OF_DRAWINGS

if TYPE_CHECKING:  # the plan asks this file
    from lucency.domain.plan import Plan

NUMBER_COSTS = ("mse", "mae", "huber")
"""Costs of a network whose answer is a number."""


def against(plan: "Plan") -> Iterator[str]:
    """Say what a plan that measures a number may not ask for, and what to write instead."""
    if plan.regression is None:
        yield "`task: regression` needs the section `regression`; leave the line out rather than set null"
    if plan.training.cost not in NUMBER_COSTS:
        named = ", ".join(f"`{name}`" for name in NUMBER_COSTS)
        yield f"`training.cost: {plan.training.cost}` does not fit `task: {plan.task}`; take {named}"
    labels = plan.data.labels
    if labels.from_ not in ("table", "readers", "masks", "boxes"):
        yield (
            "`task: regression` learns numbers from a table, from readers, or from what was drawn: set `data.labels.from` to "
            "`table`, `readers`, `masks` or `boxes`"
        )
    if labels.from_ in ("masks", "boxes") and labels.drawings and labels.drawings.measure is None:
        yield (
            "say what is measured on the masks or boxes: set `data.labels.drawings.measure`, for example `area_pixels` or "
            "`volume_ml`"
        )
    measure = labels.drawings.measure if labels.drawings and labels.from_ in ("masks", "boxes") else None
    unit = plan.regression.unit if plan.regression else ""
    if measure and unit != OF_DRAWINGS[measure]["unit"]:
        yield (
            f"`data.labels.drawings.measure: {measure}` gives {OF_DRAWINGS[measure]['unit']}, and `regression.unit` is "
            f"“{unit}”; leave the unit out, or measure something else"
        )
    if labels.readers and labels.from_ == "readers" and labels.readers.scale not in ("interval", "ratio"):
        yield ("readers who measure need `data.labels.readers.scale: ratio` (or `interval`, without a true zero)")
    if labels.from_ == "readers" and labels.consensus.rule not in ("mean", "median", "one_reader"):
        yield (
            f"`data.labels.consensus.rule: {labels.consensus.rule}` is for classes; take `mean`, `median` or `one_reader`"
        )
    about_classes = {
        "data.reference": plan.data.reference is not None,
        "data.labels.findings": bool(labels.findings),
        "data.labels.names": bool(labels.names),
        "data.labels.positive": labels.positive is not None,
        "data.labels.corrections": labels.corrections is not None,
        "data.labels.consensus.adjudicated": labels.consensus.adjudicated is not None,
        "data.labels.consensus.soft": labels.consensus.soft,
        "data.population.prevalence": bool(plan.data.population and plan.data.population.prevalence),
        "training.class_weights": plan.training.class_weights != "none",
        "training.label_smoothing": plan.training.label_smoothing != 0,
        "evaluation.threshold": plan.evaluation.threshold.rule != "youden",
        "evaluation.prevalence": plan.evaluation.prevalence is not None,
    }
    for name, is_set in about_classes.items():
        if is_set:
            yield f"`{name}` is for classes, and `task: regression` measures a number; leave it out"


def borrowed(plan: "Plan") -> Iterator[str]:
    """Say what a plan of another task takes from regression."""
    if plan.training.cost in NUMBER_COSTS:
        yield f"`training.cost: {plan.training.cost}` does not fit `task: {plan.task}`; take `cross_entropy`"
    if plan.regression is not None:
        yield "the section `regression` is for `task: regression`; leave it out"
    if plan.data.labels.drawings is not None and plan.data.labels.drawings.measure is not None:
        yield "`data.labels.drawings.measure` is for `task: regression`; leave it out, and what is drawn makes classes"
