"""preddiff cohort"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Simulate scans of controls and patients whose differences are known, and write them.

The last line is the path of the table, which `preddiff classify fit` takes.

Example: preddiff cohort --effect individual --subjects 100 -o cohort
"""


class Effect(StrEnum):
    """Where patients differ."""

    COMMON = "common"
    INDIVIDUAL = "individual"


def cohort(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")
    ] = Path("cohort"),
    effect: Annotated[
        Effect, typer.Option(help="All in the same two regions, or each in its own of six.")
    ] = Effect.COMMON,
    subjects: Annotated[
        int, typer.Option(metavar="N", help="How many in all; half of them are patients.")
    ] = 40,
    seed: Annotated[int, typer.Option(metavar="N", help="The scans follow from it.")] = 0,
    spacing: Annotated[int, typer.Option(metavar="MM", help="Between voxels.")] = 2,
) -> None:
    from preddiff.datasets import files, simulated_cohort

    made = simulated_cohort(seed, subjects, effect.value, spacing=spacing)
    typer.echo(files.write(made, output))


cohort.__doc__ = _HELP
