"""What suits a task where the plan does not say: the defaults that differ from task to task."""

from typing import Any

from lucency.domain.regression_plan import measured_on_drawings
from lucency.domain.tasks import DETECTION, REGRESSION, REPORT_LABELLING, SEGMENTATION, SYNTHESIS
from lucency.domain.transfer_plan import PACKAGED, PACKAGED_ARCHITECTURE

SUITED: dict[str, dict[str, Any]] = {
    REPORT_LABELLING: {
        "augmentation": None,
        "network": {"architecture": "lstm"},
        # a memory goes from word to word, and further threads would mostly wait; the AUC of a small tuning part is soon 1, and
        # says no more which epoch is best
        "training": {"n_threads": 1, "select_by": "cost"},
    },
    REGRESSION: {
        "training": {"cost": "mse"},
        # a lesion that is zoomed or sheared has another size: the label would no longer be true
        "augmentation": {"zoom": (1, 1), "skew_degrees": 0},
    },
    SEGMENTATION: {
        "network": {"architecture": "unet"},
        "training": {"cost": "dice_cross_entropy", "epochs": 50},
        # a probe asks what gives a class away; an outline is no class
        "describe": {"probes": False},
    },
    # heads and proposals take more memory an image, and make larger steps than a classification bears
    DETECTION: {"training": {"batch_size": 8, "learning_rate": 3e-4, "warmup_epochs": 1.0}},
    # a small network judges synthetic images
    SYNTHESIS: {"network": {"architecture": "small_cnn"}},
}
"""Task → settings, as a plan writes them."""


def suited(plan: Any) -> Any:
    """Return a plan that is not yet checked with the defaults of its task; what it says itself stays."""
    if not isinstance(plan, dict) or not isinstance(plan.get("task"), str):
        return plan
    plan = _filled(plan, SUITED.get(plan["task"], {}))
    match plan:
        case {"transfer": {"weights": weights}} if weights == PACKAGED:
            plan = _filled(plan, {"network": {"architecture": PACKAGED_ARCHITECTURE}})
    match plan:
        case {"task": "regression"}:
            return _filled(plan, {"regression": measured_on_drawings(plan)})
        case {"task": "detection", "data": {"labels": {"from": "masks", "drawings": dict()}}}:
            return _filled(plan, {"data": {"labels": {"drawings": {"split_lesions": True}}}})
    return plan


def _filled(plan: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return a plan, or a section of it, with what it lacks."""
    filled = dict(plan)
    for name, default in defaults.items():
        if name not in plan:
            filled[name] = default
        elif isinstance(plan[name], dict) and isinstance(default, dict):
            filled[name] = _filled(plan[name], default)
    return filled
