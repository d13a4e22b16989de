"""preddiff cite"""

from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo

_HELP = """
Print a paragraph for the methods section that says how a RESULT was made, and BibTeX.

Example: preddiff cite out/cat.zarr
"""


def cite(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
) -> None:
    from preddiff.results import store
    from preddiff.results.citation import citation

    for line in citation(store.load(result)).splitlines():
        echo(line)


cite.__doc__ = _HELP
