"""All verbs of the command line."""

import typer

from lucency.cli import (
    agreement,
    audit,
    curate,
    deidentify,
    demo,
    export,
    features,
    glossary,
    init,
    lab,
    masks,
    predict,
    reports,
    run,
    schema,
    suspects,
    synthesise,
    transfer_curve,
    weights,
)

app = typer.Typer(
    name="lucency",
    help="A workbench for deep-learning studies in radiology: one file, one command, a report that can be trusted.",
    rich_markup_mode=None,  # plain help needs no rich, and answers three times as fast
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Everywhere: --quiet says less, --debug shows the traceback of a failure. "
    "Exit codes: 0 done, 1 the study says no, 2 a wrong plan or argument, 130 interrupted.",
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("curate")(curate.curate)
for stage, summary in run.STAGE_HELP.items():
    app.command(stage, help=summary)(run.make_verb(stage))
app.command("deidentify")(deidentify.deidentify)
app.command("reports")(reports.reports)
app.command("suspects")(suspects.suspects)
app.command("weights")(weights.weights)
app.command("features")(features.features)
app.command("transfer-curve")(transfer_curve.transfer_curve)
app.command("agreement")(agreement.agreement)
app.command("predict")(predict.predict)
app.command("export")(export.export)
app.command("synthesise")(synthesise.synthesise)
app.command("audit")(audit.audit)
app.command("glossary")(glossary.glossary)
app.command("schema")(schema.schema)
app.add_typer(lab.app, name="lab")
app.add_typer(masks.app, name="masks")


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from lucency import __version__

        typer.echo(f"lucency {__version__}")
        raise typer.Exit
