"""preddiff reproduce"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

_HELP = """
Make the paper's figures anew, and check its claims.

Each figure is written to DIR/FIGURE.png. DIR/captions.md describes what the figures show and how
they differ from the paper's; the claims go to DIR/claims.md.

Example: preddiff reproduce fig1 fig7 --data ~/data -o figures
"""


class VolumeSampler(StrEnum):
    """Sampler that hides windows of scans: the paper's of patches, or one of controls' brains."""

    CONDITIONAL = "conditional"
    COHORT = "cohort"


def reproduce(
    figures: Annotated[
        list[str], typer.Argument(metavar="FIGURE...", help="fig1, fig3, ..., claims; or all.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that holds models/ and images/imagenet/; figures 9 to 12 do without.",
            envvar="PREDDIFF_DATA",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the figures.")
    ] = Path("figures"),
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all draws.")] = 0,
    hurry: Annotated[
        int,
        typer.Option(metavar="N", help="Make figures N times coarser, for a first look.", min=1),
    ] = 1,
    sampler: Annotated[
        VolumeSampler, typer.Option(help="What hides windows of scans, in figures 9 to 12.")
    ] = VolumeSampler.CONDITIONAL,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also put the claims between their marks in this Markdown page."
        ),
    ] = None,
) -> None:
    from preddiff.cli import marks
    from preddiff.media import ours
    from preddiff.pipeline.progress import say
    from preddiff.studies.paper.reproduction import REPRODUCIBLE, reproduce

    # dict.fromkeys drops names that were given twice and keeps the order.
    names = list(REPRODUCIBLE) if "all" in figures else list(dict.fromkeys(figures))
    for name in names:
        if name not in REPRODUCIBLE:
            raise SettingError(f"{name!r}: expected all, or some of {', '.join(REPRODUCIBLE)}")
    # A page without marks is refused now, not after an hour of work.
    if page is not None:
        marks.check(page, "claims")
    for path, seconds in reproduce(names, data, output, seed, hurry, say, sampler.value):
        echo(f"{path}  ({seconds:.0f} s)")
        if path.name == "claims.md":
            text = ours.unsigned(path.read_text(encoding="utf-8")).rstrip()
            for line in text.splitlines():
                echo(line)
            if page is not None:
                marks.fill(page, "claims", text)


reproduce.__doc__ = _HELP
