"""The command line: arguments in, calls out.

Commands import what they call when they run, so that `preddiff --help` loads neither torch nor
numpy and answers at once.
"""

import io
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from preddiff.cli.bench import bench
from preddiff.cli.cite import cite
from preddiff.cli.classify import classify
from preddiff.cli.cohort import cohort
from preddiff.cli.evaluate import evaluate
from preddiff.cli.explain import explain
from preddiff.cli.export import export
from preddiff.cli.interactions import interactions
from preddiff.cli.model import model
from preddiff.cli.options import verbose
from preddiff.cli.report import report
from preddiff.cli.reproduce import reproduce
from preddiff.cli.rerun import rerun
from preddiff.cli.sampler import sampler
from preddiff.cli.terminal import echo
from preddiff.cli.verify import verify
from preddiff.cli.view import view
from preddiff.errors import TORCH, EngineWarning, InputWarning, PreddiffError, printable

app = typer.Typer(
    name="preddiff",
    help="Why did the classifier decide so? Prediction difference analysis, with error bars.",
    add_completion=False,  # it would add two options to every --help
    # Tracebacks are for our mistakes: plain ones can be pasted into a report.
    pretty_exceptions_enable=False,
    # Without markup, help is plain text, and [default: …] in it is not taken for a tag.
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        echo(f"preddiff {metadata.version('preddiff')}")
        raise typer.Exit


@app.callback()
def _of_all(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Take the options that are of no command."""


# In the order in which --help lists them: what most people need comes first.
app.command()(explain)
app.command()(interactions)
app.command()(model)
app.add_typer(sampler)
app.add_typer(classify)
app.command()(cohort)
app.command()(view)
app.command()(report)
app.command()(export)
app.command()(verify)
app.command()(rerun)
app.command()(cite)
app.command()(bench)
app.command()(evaluate)
app.command()(reproduce)


_INTERRUPTED = 130  # the exit status after Ctrl-C: 128 + SIGINT, as shells have it


def main() -> None:
    """Run the command line and exit.

    A user's mistake is reported in one line on standard error, with exit status 2. Ctrl-C ends with
    status 130. Anything else that goes wrong is our mistake and keeps its traceback.
    """
    # Python prints the file and line that warned, which a user of commands has no use for.
    warnings.showwarning = _Once()  # type: ignore[assignment]
    # File names may hold what no encoding can; to print one must not end in a traceback.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # standalone_mode=False: typer would otherwise print its own complaints over several lines,
        # and exit itself. A command line without arguments shows the help.
        status = app(sys.argv[1:] or ["--help"], prog_name="preddiff", standalone_mode=False)
    except PreddiffError as error:
        _fail(str(error), 2)
    except ModuleNotFoundError as error:
        if error.name not in TORCH:
            raise
        _fail("this needs PyTorch; pip install 'preddiff[torch]'", 2)
    except Exception as error:
        # Typer's own complaint about the arguments. Its class is click's, or since typer 0.20 a
        # private copy of it, but every version of it can format its message.
        if not hasattr(error, "format_message"):
            raise
        _fail(f"{error.format_message()} (preddiff --help)", 2)
    if status == _INTERRUPTED:
        _fail("interrupted; no partly written files remain", _INTERRUPTED)
    sys.exit(status or 0)


class _Once:
    """Prints our own warnings in one line, each once in a command.

    Other libraries' are of no use at a command line. A model that is loaded again for another
    engine or input warns again.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, message: Warning | str, category: type[Warning], *_where: object) -> None:
        if not issubclass(category, EngineWarning | InputWarning) or str(message) in self._said:
            return
        self._said.add(str(message))
        why = getattr(message, "why", "") if verbose.get() else ""
        print(f"preddiff: {message}" + (f": {why}" if why else ""), file=sys.stderr)  # noqa: T201


def _fail(message: str, status: int) -> NoReturn:
    print(f"preddiff: {printable(message)}", file=sys.stderr)  # noqa: T201
    sys.exit(status)
