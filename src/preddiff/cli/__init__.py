"""The command line: arguments in, calls out. Heavy modules are imported by the commands."""

import sys

import typer

from preddiff.cli.explain import explain
from preddiff.cli.export import export
from preddiff.cli.model import model
from preddiff.cli.sampler import sampler
from preddiff.errors import PreddiffError

app = typer.Typer(
    name="preddiff",
    help="Why did the classifier decide so? Prediction difference analysis, with error bars.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(explain)
app.command()(model)
app.add_typer(sampler)
app.command()(export)


_INTERRUPTED = 130  # what typer makes of Ctrl-C


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and status 2."""
    try:
        app()
    except PreddiffError as error:
        print(f"preddiff: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except SystemExit as leaving:
        if leaving.code == _INTERRUPTED:
            print("preddiff: interrupted; nothing half-written is left", file=sys.stderr)  # noqa: T201
        raise
