"""`lucency schema`."""

import typer


def schema() -> None:
    """Print the JSON schema of study.yaml, for editors that complete and check as one types."""
    import json

    from lucency.domain.plan import Plan

    typer.echo(json.dumps(Plan.model_json_schema(by_alias=True), indent=2, ensure_ascii=False))
