"""preddiff view"""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo

_HELP = """
Write the page of one or more RESULTs and open it in a browser.

Several results of one input share a page, comparison.html next to the first result, with a choice
between the settings in which they differ. The page's path is printed.

Example: preddiff view out/small.zarr out/large.zarr
"""


def view(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT...", help="Results, NAME.zarr.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page's file, .html."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Write the page without opening it.")
    ] = False,
) -> None:
    from preddiff.media.names import name_of_result, named
    from preddiff.results import store
    from preddiff.viewer.page import page

    if output is None:
        first = named(results[0])
        name = name_of_result(first) if len(results) == 1 else "comparison"
        output = first.with_name(name + ".html")
    written = page([store.load(result) for result in results], output)
    # as_uri takes absolute paths only.
    if not no_browser:
        webbrowser.open(written.resolve().as_uri())
    echo(written)


view.__doc__ = _HELP
