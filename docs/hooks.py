"""Write the pages that are made from the code, so that they can never say anything else than the program does.

A page asks for its content with a line `{{ plan }}`, `{{ commands }}`, `{{ codes }}`, `{{ errors }}` or `{{ glossary }}`.
MkDocs calls `on_page_markdown` for every page.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

MARK = re.compile(r"^\{\{ (\w+) \}\}$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each mark of a page by what it stands for."""
    return MARK.sub(lambda mark: CONTENTS[mark.group(1)](), markdown)


def plan() -> str:
    """Write one table for each section of the plan: setting, default, what may be written, meaning."""
    from lucency.domain.plan import Plan

    return "\n".join(_section(Plan, (), "The plan itself stands at the left margin of the file."))


def _section(model: Any, place: tuple[str, ...], meaning: str) -> Iterator[str]:
    """Write one section, then the sections inside it."""
    from lucency.study.plan import section_of

    heading = ".".join(place) or "The whole plan"
    yield f"## {f'`{heading}`' if place else heading} {{#{'-'.join(place) or 'whole'}}}\n\n{meaning}\n"
    yield "| Setting | Default | May be | Meaning |\n|---|---|---|---|"
    schema = model.model_json_schema(by_alias=True)
    inner = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        here = (*place, key)
        section = section_of(field)
        if section:
            inner.append((section, here, _plain(field.description)))
            may_be = f"a section: [`{'.'.join(here)}`](#{'-'.join(here)})" + (
                " or `null`" if _may_be_null(field) else ""
            )
        else:
            may_be = _choices(schema["properties"][key], schema.get("$defs", {}))
        yield f"| `{key}` | {_default(field)} | {may_be} | {_plain(field.description)} |"
    yield ""
    for section, here, words in inner:
        yield from _section(section, here, words)


def _default(field: Any) -> str:
    from pydantic import BaseModel

    if field.is_required():
        return "**must be given**"
    if isinstance(field.default, BaseModel):
        return "see there"
    return f"`{_written(field.default)}`"


def _written(value: Any) -> str:
    """Write a value as one would in the plan."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple) else str(value)


def _may_be_null(field: Any) -> bool:
    return type(None) in getattr(field.annotation, "__args__", ())


def _choices(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say in words what a JSON schema allows."""
    if "$ref" in schema:
        return _choices(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        return " or ".join(_choices(choice, definitions) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type")
    if schema.get("format") == "date":
        return "a day"
    if kind == "array":
        items = schema.get("prefixItems")
        if items:
            return f"[{', '.join(_choices(item, definitions) for item in items)}]"
        return f"a list of {_choices(schema['items'], definitions)}"
    words = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "null": "`null`"}
    return words.get(kind or "", "names for codes" if kind == "object" else "text") + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    signs = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    found = [f"{word} {_shortened(schema[key])}" for key, word in signs.items() if key in schema]
    return f" {' '.join(found)}" if found else ""


def _shortened(bound: float) -> str:
    return "2⁶³" if bound == 2**63 else f"{bound:g}"


def commands() -> str:
    """Write usage, meaning, arguments and options of every verb."""
    import typer

    from lucency.cli.app import app

    return "\n".join(_command(typer.main.get_command(app), "lucency", level=1))


def _command(command: Any, name: str, level: int) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if level > 1:
        arguments = [_argument(one) for one in command.params if one.param_type_name == "argument"]
        yield f"{'#' * level} `{name}`\n\n{_plain(command.help)}\n"
        yield f"```text\n{' '.join([name, *arguments, 'VERB …' if inner else '[OPTIONS]'])}\n```\n"
        yield from _parameters(command)
    for verb, one in inner.items():
        yield from _command(one, f"{name} {verb}", level + 1)


def _parameters(command: Any) -> Iterator[str]:
    if not command.params:
        return
    yield "| | Default | Meaning |\n|---|---|---|"
    for one in command.params:
        if one.param_type_name == "argument":
            default = "**must be given**" if one.required else "–" if one.default is None else f"`{one.default}`"
            yield f"| `{_cell(_argument(one))}` | {default} | {_plain(one.help)} |"
        else:
            flag = getattr(one, "is_flag", False)
            written = one.opts[0] if flag else f"{one.opts[0]} {one.metavar or 'NUMBER'}"
            default = "off" if flag else "–" if one.default is None else f"`{one.default}`"
            yield f"| `{_cell(written)}` | {default} | {_plain(one.help)} |"
    yield ""


def _argument(one: Any) -> str:
    return str(one.metavar or f"[{one.name.upper()}]")


def codes() -> str:
    """Write every code that an image can carry."""
    from lucency.data.codes import NOTES, REFUSALS

    chapters = (("Refused images", REFUSALS), ("Notes on images that were read", NOTES))
    return "\n\n".join(
        f"## {title}\n\n| Code | Meaning |\n|---|---|\n"
        + "\n".join(f"| `{code}` | {_plain(meaning)} |" for code, meaning in listed.items())
        for title, listed in chapters
    )


def errors() -> str:
    """Write the family of errors with their exit codes."""
    from lucency.errors import LucencyError

    def rows(kind: type[LucencyError], depth: int) -> Iterator[str]:
        yield f"| {'&emsp;' * depth}`{kind.__name__}` | {kind.exit_code} | {_plain(kind.__doc__)} |"
        for child in kind.__subclasses__():
            yield from rows(child, depth + 1)

    return "| Error | Exit code | Meaning |\n|---|---|---|\n" + "\n".join(rows(LucencyError, 0))


def glossary() -> str:
    """Write every term in plain words, by the alphabet."""
    from lucency.report.glossary import GLOSSARY

    terms = sorted(GLOSSARY.values(), key=lambda term: term.name.lower())
    return "\n\n".join(
        f"### {term.name} {{#{term.slug}}}\n\n"
        + (f"*Also: {', '.join(term.other_names)}.*\n\n" if term.other_names else "")
        + _plain(term.text)
        for term in terms
    )


def _plain(text: str | None) -> str:
    """Put a docstring on one line of a table."""
    return _cell(" ".join((text or "").split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


CONTENTS: dict[str, Callable[[], str]] = {
    "plan": plan,
    "commands": commands,
    "codes": codes,
    "errors": errors,
    "glossary": glossary,
}
"""What each mark stands for."""
