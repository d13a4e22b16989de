"""The command line: arguments in, calls out. Heavy modules are imported by the commands."""

import sys
import warnings
from typing import NoReturn

import typer

from preddiff.cli.bench import bench
from preddiff.cli.classify import classify
from preddiff.cli.cohort import cohort
from preddiff.cli.explain import explain
from preddiff.cli.export import export
from preddiff.cli.model import model
from preddiff.cli.reproduce import reproduce
from preddiff.cli.sampler import sampler
from preddiff.cli.view import view
from preddiff.errors import EngineWarning, InputWarning, PreddiffError

app = typer.Typer(
    name="preddiff",
    help="Why did the classifier decide so? Prediction difference analysis, with error bars.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(explain)
app.command()(model)
app.add_typer(sampler)
app.add_typer(classify)
app.command()(cohort)
app.command()(view)
app.command()(export)
app.command()(bench)
app.command()(reproduce)


_INTERRUPTED = 130  # what typer makes of Ctrl-C


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and status 2."""
    warnings.showwarning = _warn  # type: ignore[assignment]
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="preddiff", standalone_mode=False)
    except PreddiffError as error:
        _complain(str(error), 2)
    except Exception as error:
        # What typer says of a command line; where its class lives depends on typer's version.
        if not hasattr(error, "format_message"):
            raise
        _complain(f"{error.format_message()} (preddiff --help)", 2)
    if status == _INTERRUPTED:
        _complain("interrupted; nothing half-written is left", _INTERRUPTED)
    sys.exit(status or 0)


def _warn(message: Warning | str, category: type[Warning], *_where: object) -> None:
    """In one line; those of other libraries are of no use to who explains a picture."""
    if issubclass(category, EngineWarning | InputWarning):
        print(f"preddiff: {message}", file=sys.stderr)  # noqa: T201


def _complain(message: str, status: int) -> NoReturn:
    print(f"preddiff: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(status)
