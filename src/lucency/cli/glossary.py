"""`lucency glossary`."""

from typing import Annotated

import typer


def glossary(
    term: Annotated[str | None, typer.Argument(metavar="[TERM]", help="A term, for example sensitivity.")] = None,
) -> None:
    """Explain a term in plain words, or list all terms."""
    from lucency.report.glossary import explain

    typer.echo(explain(term))
