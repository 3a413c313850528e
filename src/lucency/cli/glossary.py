"""`lucency glossary`."""

import textwrap
from typing import Annotated

import typer


def glossary(
    term: Annotated[str | None, typer.Argument(metavar="[TERM]", help="A term, for example sensitivity.")] = None,
) -> None:
    """Explain a term in plain words, or list all terms."""
    from lucency.errors import PlanError
    from lucency.report.glossary import GLOSSARY, look_up, nearest

    if term is None:
        typer.echo(textwrap.fill(", ".join(sorted(GLOSSARY, key=str.lower)), 100))
        return
    found = look_up(term)
    if found is None:
        close = nearest(term)
        hint = f"Did you mean {' or '.join(close)}?" if close else "`lucency glossary` lists all terms."
        raise PlanError(f"The glossary has no “{term}”. {hint}")
    typer.echo(found.name + (f" ({', '.join(found.other_names)})" if found.other_names else ""))
    typer.echo(textwrap.fill(found.text, 100))
