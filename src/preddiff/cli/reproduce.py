"""preddiff reproduce"""

from pathlib import Path
from typing import Annotated

import typer

from preddiff.errors import SettingError

_HELP = """
Make the figures of the paper anew, and print its claims as numbers.

Writes DIR/FIGURE.png for each, with what it shows and how it differs from the paper's in
DIR/captions.md, and the claims in DIR/claims.md.

Example: preddiff reproduce fig1 fig7 --data ~/data -o figures
"""


def reproduce(
    figures: Annotated[
        list[str], typer.Argument(metavar="FIGURE...", help="fig1, fig3, ..., claims; or all.")
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Where models/ and images/imagenet/ are.", envvar="PREDDIFF_DATA"
        ),
    ] = Path("../shared/data"),
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the figures go.")
    ] = Path("figures"),
    seed: Annotated[int, typer.Option(metavar="N", help="The draws follow from it.")] = 0,
    hurry: Annotated[
        int, typer.Option(metavar="N", help="Coarser by this factor, for a first look.", min=1)
    ] = 1,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Put the claims between their marks in this page."),
    ] = None,
) -> None:
    from preddiff.cli import marks
    from preddiff.pipeline.progress import say
    from preddiff.studies.paper.reproduction import KNOWN, reproduce

    wanted = list(KNOWN) if "all" in figures else list(dict.fromkeys(figures))
    for name in wanted:
        if name not in KNOWN:
            raise SettingError(f"{name!r}: expected all, or some of {', '.join(KNOWN)}")
    if page is not None:
        marks.check(page, "claims")
    for path, seconds in reproduce(wanted, data, output, seed, hurry, say):
        typer.echo(f"{path}  ({seconds:.0f} s)")
        if path.name == "claims.md":
            text = path.read_text(encoding="utf-8").rstrip()
            typer.echo(text)
            if page is not None:
                marks.put(page, "claims", text)


reproduce.__doc__ = _HELP
