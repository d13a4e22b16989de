"""preddiff export"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Write a RESULT as another program reads it, beside the result.

Example: preddiff export out/cat.zarr --to netcdf
"""


class Format(StrEnum):
    """What a result can be written as."""

    PNG = "png"
    NPZ = "npz"
    NETCDF = "netcdf"
    NIFTI = "nifti"


_ENDINGS = {
    Format.PNG: ".png",
    Format.NPZ: ".npz",
    Format.NETCDF: ".nc",
    Format.NIFTI: ".nii.gz",
}


def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A NAME.zarr.")],
    to: Annotated[
        Format, typer.Option(help="The figure, numpy's arrays, netCDF, or a map beside the scan.")
    ],
) -> None:
    from preddiff.render import exports
    from preddiff.results import store

    typer.echo(exports.export(store.load(result), result.with_suffix(_ENDINGS[to])))


export.__doc__ = _HELP
