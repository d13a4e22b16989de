"""preddiff view"""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Write the page of one or several RESULTs and open it.

Several results of one input become one page, in which a reader chooses between what differs; it is
called comparison.html and stands beside the first of them. The page's path is printed.

Example: preddiff view out/small.zarr out/large.zarr
"""


def view(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT...", help="Each a NAME.zarr.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the page goes, an .html file."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Write the page, but do not open it.")
    ] = False,
) -> None:
    from preddiff.results import store
    from preddiff.viewer.page import page

    if output is None:
        first = results[0]
        alone = len(results) == 1
        output = first.with_suffix(".html") if alone else first.with_name("comparison.html")
    written = page([store.load(result) for result in results], output)
    if not no_browser:
        webbrowser.open(written.resolve().as_uri())
    typer.echo(written)


view.__doc__ = _HELP
