"""Every setting of the plan, with its value, whether it is the default, and what it means; and augmentation in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.plan import Augmentation, Plan
from lucency.domain.section import Section
from lucency.domain.tasks import TASKS
from lucency.report.words import proportion


@dataclass(frozen=True)
class Setting:
    """One line of the table of hyperparameters."""

    key: str
    """Path in study.yaml, such as training.batch_size."""
    value: str
    is_default: bool
    meaning: str
    """In words, with code between backticks."""

    @property
    def section(self) -> str:
        """The first word of the key, or "study" for what stands at the top."""
        return self.key.split(".")[0] if "." in self.key else "study"


def settings(plan: Plan) -> list[Setting]:
    """List every setting, those at the top of the plan first; sections of other tasks than the study's own say nothing."""
    others = {task for task in TASKS if task != plan.task}
    found = [setting for setting in _walk(plan, "") if setting.section not in others and setting.key not in others]
    return [s for s in found if s.section == "study"] + [s for s in found if s.section != "study"]


def by_section(listed: list[Setting]) -> list[tuple[str, list[Setting]]]:
    """Group settings by section, in the order of the plan."""
    groups: dict[str, list[Setting]] = {}
    for setting in listed:
        groups.setdefault(setting.section, []).append(setting)
    return list(groups.items())


@dataclass(frozen=True)
class AugmentationRange:
    """One kind of augmentation and how far it goes, in words."""

    term: str
    """Entry of the glossary."""
    detail: str
    range: str
    """Empty where the kind is off."""


def augmentation_ranges(augmentation: Augmentation) -> list[AugmentationRange]:
    """Say for each kind of augmentation how far it goes."""
    a = augmentation
    written = {
        "flip_horizontal": ("flip", "left and right", f"{proportion(a.flip_horizontal, 0)} of the images"),
        "flip_vertical": ("flip", "upside down", f"{proportion(a.flip_vertical, 0)} of the images"),
        "rotate_degrees": ("rotation", "", f"−{a.rotate_degrees:g}° to {a.rotate_degrees:g}°"),
        "tilt_degrees": ("rotation", "of volumes out of their slices", f"−{a.tilt_degrees:g}° to {a.tilt_degrees:g}°"),
        "zoom": ("zoom", "", f"× {a.zoom[0]:g} to × {a.zoom[1]:g}"),
        "shift": ("shift", "", f"up to {proportion(a.shift, 0)} of height and width"),
        "skew_degrees": ("skew", "", f"−{a.skew_degrees:g}° to {a.skew_degrees:g}°"),
        "blur_pixels": ("blur", "", f"up to {a.blur_pixels:g} pixels"),
        "contrast": ("contrast", "", f"× {a.contrast[0]:g} to × {a.contrast[1]:g}"),
        "brightness": ("brightness", "", f"up to {proportion(a.brightness, 0)} of the grey scale"),
        "resolution": ("resolution", "", f"down to {proportion(a.resolution, 0)}"),
        "noise": ("noise", "", f"up to {proportion(a.noise, 0)} of the grey scale"),
        "erase": ("random erasing", "", f"{proportion(a.erase, 0)} of the images"),
    }
    return [
        AugmentationRange(term, detail, "" if getattr(a, name) == getattr(NO_AUGMENTATION, name) else words)
        for name, (term, detail, words) in written.items()
    ]


def _walk(section: Section, prefix: str) -> Iterator[Setting]:
    for name, field in type(section).model_fields.items():
        key, value = prefix + (field.alias or name), getattr(section, name)
        if isinstance(value, Section):
            yield from _walk(value, f"{key}.")
        else:
            yield Setting(key, _written(value), _is_default(field, value), " ".join((field.description or "").split()))


def _is_default(field: FieldInfo, value: object) -> bool:
    return not field.is_required() and field.get_default(call_default_factory=True) == value


def _written(value: object) -> str:
    """Write a value as study.yaml would."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_written(part)}' for key, part in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(_written(part) for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
