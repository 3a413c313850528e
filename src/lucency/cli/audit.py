"""`lucency audit`."""

from pathlib import Path
from typing import Annotated

import typer


def audit(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")],
) -> None:
    """Verify a study: the chain of its record, the hash of every file, the split, the openings of the test set."""
    from lucency.study.beside.audit import audit_study

    findings = audit_study(folder)
    for finding in findings:
        context.obj.say(f"{'✓' if finding.is_well else '✗'} {finding.what}")
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)
