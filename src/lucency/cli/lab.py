"""`lucency lab`: the article's worked numbers, step by step."""

import typer

app = typer.Typer(
    help="Small exact experiments: the article's worked numbers, step by step.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
