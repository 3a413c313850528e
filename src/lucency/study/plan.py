"""Read a plan from a file, refuse what is wrong in it with file, line and the nearest right key, and write it out."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from lucency.data.dicom.pacs.address import parse_address
from lucency.domain.architectures import TIMM
from lucency.domain.data_plan import Deidentification
from lucency.domain.labels_plan import Drawings
from lucency.domain.plan import PLAN_VERSION, Plan
from lucency.domain.section import NamesFile
from lucency.errors import PlanError
from lucency.network.timm_names import unknown_to_timm

Place = tuple[str, ...]
AnySection = TypeVar("AnySection", bound=BaseModel)


def read_plan(path: Path, overrides: Sequence[str] = ()) -> Plan:
    """Read and check a plan; `overrides` are texts such as "training.epochs=5".

    Raises:
        PlanError: the file is missing or not YAML, or a setting is unknown or has a wrong value.
    """
    settings, lines = _parse(path)
    _refuse_newer(path, settings)
    for override in overrides:
        _set(settings, lines, override)
    try:
        plan = Plan.model_validate(settings)
    except ValidationError as error:
        raise PlanError("\n".join(_explain(path, lines, error))) from None
    _refuse_unknown_to_timm(path, lines, plan)
    return _resolve_paths(plan, path.parent)


def read_deidentification(overrides: Sequence[str]) -> Deidentification:
    """Check settings of de-identification that were given one by one, such as "dates=remove".

    Raises:
        PlanError: a setting is unknown or has a wrong value.
    """
    settings: dict[str, Any] = {"task": "classification", "data": {"images": "images", "deidentify": {}}}
    lines: dict[Place, int] = {}
    for override in overrides:
        _set(settings, lines, f"data.deidentify.{override.removeprefix('data.deidentify.')}")
    try:
        return Plan.model_validate(settings).data.deidentify or Deidentification()
    except ValidationError as error:
        raise PlanError("\n".join(_explain(Path("--set"), lines, error))) from None


def read_drawings_settings(begun: dict[str, Any], overrides: Sequence[str]) -> Drawings:
    """Check settings of drawings: those that are known already, and others given one by one, such as "finding=nodule".

    Raises:
        PlanError: a setting is unknown or has a wrong value.
    """
    labels = {"from": "masks", "drawings": begun}
    settings: dict[str, Any] = {"task": "classification", "data": {"images": "images", "labels": labels}}
    lines: dict[Place, int] = {}
    for override in overrides:
        _set(settings, lines, f"data.labels.drawings.{override.removeprefix('data.labels.drawings.')}")
    try:
        drawings = Plan.model_validate(settings).data.labels.drawings
    except ValidationError as error:
        raise PlanError("\n".join(_explain(Path("--set"), lines, error))) from None
    assert drawings is not None
    return drawings


def with_deidentification(plan: Plan) -> Plan:
    """Return the plan with de-identification on, by its own settings where it has any."""
    deidentify = plan.data.deidentify or Deidentification()
    return plan.model_copy(update={"data": plan.data.model_copy(update={"deidentify": deidentify})})


def write_plan(plan: Plan) -> str:
    """Return the plan as YAML with every setting spelt out."""
    return yaml.safe_dump(as_settings(plan), sort_keys=False, allow_unicode=True, width=100)


def as_settings(plan: BaseModel) -> dict[str, Any]:
    """Return a plan or a section of it as plain JSON types, with the keys of the file."""
    return plan.model_dump(mode="json", by_alias=True)


def files_of(section: BaseModel, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Walk over the files and folders that a section names: the place of the setting, and the path."""
    for name, field in type(section).model_fields.items():
        value, here = getattr(section, name), (*place, field.alias or name)
        if isinstance(value, BaseModel):
            yield from files_of(value, here)
        elif value and _names_files(field):
            named = value if isinstance(value, dict) else _numbered(value)
            yield from ((here if len(named) == 1 else (*here, name), path) for name, path in named.items())


def _numbered(paths: str | Sequence[str]) -> dict[str, str]:
    return {str(n): path for n, path in enumerate((paths,) if isinstance(paths, str) else paths, start=1)}


def without_files(section: AnySection) -> AnySection:
    """Return a section whose files have no names: what is in them counts, not where they lie."""
    return _with_files(section, lambda _: "")


def every_setting(model: type[BaseModel] = Plan, place: Place = ()) -> Iterator[tuple[Place, FieldInfo]]:
    """Walk over all settings of the schema: their place in the file and their field."""
    for name, field in model.model_fields.items():
        here = (*place, field.alias or name)
        yield here, field
        section = section_of(field)
        if section:
            yield from every_setting(section, here)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a field holds, or None for a single value."""
    candidates = [field.annotation, *get_args(field.annotation)]
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _parse(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """Return the settings of a file and the line of each."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlanError(
            f"There is no plan {path}. Write one with `lucency init FOLDER`, or check the path for a typing error."
        ) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise PlanError(f"{path} is not a text file. Give the path of a study.yaml.") from None
    lines: dict[Place, int] = {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise PlanError(f"{path.name} uses YAML aliases (*name), which a plan does not need. Write the values out.")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            _collect_lines(path, node, (), lines)
        settings = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PlanError(
            f"{path.name}, line {line}: this is not YAML ({error.problem}). Check colons and indents."
        ) from None
    except yaml.YAMLError:
        raise PlanError(f"{path.name} is not YAML. Open it in a text editor and check it.") from None
    if not isinstance(settings, dict):
        raise PlanError(f"{path.name} holds no settings. A plan begins with `task: classification`.")
    return settings, lines


def _collect_lines(path: Path, node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    """Note the line of each key, and refuse a key that stands twice."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key_node, value_node in node.value:
        here = (*place, str(key_node.value))
        line = key_node.start_mark.line + 1
        if here in lines:
            raise PlanError(
                f"{path.name}, line {line}: “{'.'.join(here)}” stands here and in line {lines[here]}. Keep one of them."
            )
        lines[here] = line
        _collect_lines(path, value_node, here, lines)


def _refuse_newer(path: Path, settings: dict[str, Any]) -> None:
    version = settings.get("lucency", PLAN_VERSION)
    if isinstance(version, int) and version > PLAN_VERSION:
        raise PlanError(
            f"{path.name} was written for a newer lucency (plan format {version}; this one knows {PLAN_VERSION}). "
            "Upgrade with `pip install --upgrade lucency`."
        )


def _set(settings: dict[str, Any], lines: dict[Place, int], override: str) -> None:
    """Apply one `--set a.b=c`."""
    dotted, equals, text = override.partition("=")
    place = tuple(dotted.strip().split("."))
    if not equals or not all(place):
        raise PlanError(f"--set {override} is not of the form section.setting=value, for example training.epochs=5.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise PlanError(f"--set {override}: the value cannot be read. Put it in quotes.") from None
    target = settings
    for name in place[:-1]:
        deeper = target.get(name)
        if not isinstance(deeper, dict):
            # `patient: each_image` and an absent section both give way to the section that is being set
            deeper = target[name] = {"from": deeper} if isinstance(deeper, str) else {}
        target = deeper
    target[place[-1]] = value
    lines[place] = 0


def _refuse_unknown_to_timm(path: Path, lines: dict[Place, int], plan: Plan) -> None:
    """Refuse a network of timm that timm has not, which the schema cannot know."""
    architecture = plan.network.architecture
    fault = unknown_to_timm(architecture.removeprefix(TIMM)) if architecture.startswith(TIMM) else ""
    if fault:
        place = ("network", "architecture")
        raise PlanError(f"{_where(path, place, lines)}“{'.'.join(place)}” is {architecture!r}, but {fault}")


def _explain(path: Path, lines: dict[Place, int], error: ValidationError) -> Iterator[str]:
    """Say for each fault where it is, what it is, and what to write instead; one sentence a line."""
    seen = set()
    for fault in error.errors():
        place = _known_place(tuple(str(step) for step in fault["loc"]), lines)
        sentence = f"{_where(path, place, lines)}{_what(fault, place)}"
        if (place, fault["type"]) not in seen:
            seen.add((place, fault["type"]))
            yield sentence


def _known_place(place: Place, lines: dict[Place, int]) -> Place:
    """Cut off what pydantic adds to a place inside a union, but keep the name of a missing key."""
    if place[:-1] in lines or len(place) == 1:
        return place
    while len(place) > 1 and place not in lines:
        place = place[:-1]
    return place


def _where(path: Path, place: Place, lines: dict[Place, int]) -> str:
    for length in range(len(place), 0, -1):
        line = lines.get(place[:length])
        if line == 0:
            return f"--set {'.'.join(place)}: "
        if line:
            return f"{path.name}, line {line}: "
    return f"{path.name}: "


def _what(fault: Any, place: Place) -> str:
    dotted = ".".join(place)
    message = str(fault["msg"]).removeprefix("Value error, ")
    message = re.sub(r"^Input should be ", "it should be ", message)
    message = message.replace("a valid tuple", "a list in brackets, such as [a, b]")
    if fault["type"] == "extra_forbidden":
        section = " of " + ".".join(place[:-1]) if len(place) > 1 else ""
        return f"“{place[-1]}” is not a setting{section}.{_nearest(place)}"
    if fault["type"] == "missing":
        return f"“{dotted}” is missing. {_description(place)}".rstrip()
    if not place:  # two sections that do not go together
        return f"{message}."
    if isinstance(fault.get("input"), dict):  # two settings of a section
        return f"“{dotted}”: {message}."
    return f"“{dotted}” is {_shown(fault.get('input'))}, but {message}."


def _nearest(place: Place) -> str:
    """Name the right key that looks most like a wrong one, wherever in the plan it belongs."""
    siblings = [known for known, _ in every_setting() if known[:-1] == place[:-1]]
    close = difflib.get_close_matches(place[-1], [known[-1] for known in siblings], n=1, cutoff=0.5)
    if close:
        return f" Did you mean “{close[0]}”?"
    elsewhere = [".".join(known) for known, _ in every_setting() if known[-1] == place[-1]]
    if elsewhere:
        return f" It belongs at “{elsewhere[0]}”."
    return f" Settings here: {', '.join(known[-1] for known in siblings)}."


def _description(place: Place) -> str:
    return next((field.description or "" for known, field in every_setting() if known == place), "")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else "a section" if isinstance(value, dict) else text[:57] + "…"


def _resolve_paths(plan: Plan, folder: Path) -> Plan:
    """Make the plan's paths absolute: they are written relative to the folder of the plan."""
    resolved = _with_files(plan, lambda path: _absolute(folder, path))
    images = parse_address(plan.data.images).text if plan.data.is_in_pacs else _absolute(folder, plan.data.images)
    return resolved.model_copy(update={"data": resolved.data.model_copy(update={"images": images})})


def _with_files(section: AnySection, change: Callable[[str], str]) -> AnySection:
    """Return a section in which every setting that names files was changed."""
    changes: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            changes[name] = _with_files(value, change)
        elif value and isinstance(value, dict) and _names_files(field):
            changes[name] = {key: change(path) for key, path in value.items()}
        elif value and _names_files(field):
            changes[name] = change(value) if isinstance(value, str) else tuple(map(change, value))
    return section.model_copy(update=changes)


def _names_files(field: FieldInfo) -> bool:
    return any(isinstance(mark, NamesFile) for mark in field.metadata) or _is_marked(field.annotation)


def _is_marked(annotation: Any) -> bool:
    marks = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, NamesFile) for mark in marks) or any(map(_is_marked, get_args(annotation)))


def _absolute(folder: Path, path: str) -> str:
    return str((folder / Path(path).expanduser()).resolve())
