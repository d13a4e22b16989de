"""preddiff sampler fit, preddiff sampler show, preddiff sampler check"""

from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.sampler_check import check
from preddiff.cli.sampler_fit import fit
from preddiff.cli.terminal import echo

sampler = typer.Typer(name="sampler", help="Fit samplers and show them.", no_args_is_help=True)

_SHOW = """
Show the contents of a sampler FILE.

Example: preddiff sampler show mine.npz
"""


def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file from `preddiff sampler fit`.")
    ],
) -> None:
    from preddiff.samplers.load import read_sampler

    for name, value in read_sampler(file).summary().items():
        echo(f"{name:24s} {value}")


show.__doc__ = _SHOW
sampler.command()(fit)
sampler.command()(show)
sampler.command()(check)
