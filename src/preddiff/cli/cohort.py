"""preddiff cohort"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo

_HELP = """
Simulate scans of patients whose differences are known.

As many controls are simulated as well. The last line printed is the path of a table, which
`preddiff classify fit` takes.

Example: preddiff cohort --effect individual --subjects 100 -o cohort
"""


class Effect(StrEnum):
    """The regions that differ in patients."""

    COMMON = "common"
    INDIVIDUAL = "individual"


def cohort(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")
    ] = Path("cohort"),
    effect: Annotated[
        Effect,
        typer.Option(help="Patients differ in the same two regions, or each in one or two of six."),
    ] = Effect.COMMON,
    subjects: Annotated[
        int, typer.Option(metavar="N", help="Number of subjects; half of them are patients.")
    ] = 40,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the scans.")] = 0,
    spacing: Annotated[int, typer.Option(metavar="MM", help="Distance between voxels, in mm.")] = 2,
    bend: Annotated[
        float, typer.Option(metavar="MM", help="Deformation of each anatomy, in mm.")
    ] = 1.0,
    shading: Annotated[
        float, typer.Option(metavar="PERCENT", help="Shading of each scan, in per cent.")
    ] = 4.0,
    loss: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Mean loss of signal in an affected region. [default: 16, of individual 35]",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier cohort in the folder.")
    ] = False,
) -> None:
    from preddiff.datasets import files, simulated_cohort
    from preddiff.pipeline.progress import naming

    files.check_destinations(output, subjects, overwrite=overwrite)
    with naming(f"Simulating {subjects} scans"):
        simulated = simulated_cohort(
            seed, subjects, effect.value, spacing=spacing, bend=bend, shading=shading, loss=loss
        )
        table = files.write(simulated, output)
    echo(table)


cohort.__doc__ = _HELP
