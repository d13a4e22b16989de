"""preddiff export"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo

_HELP = """
Write a RESULT in another program's format, next to the result.

Example: preddiff export out/cat.zarr --to netcdf
"""


# An enumeration, so that typer lists the formats in --help and refuses any other.
class Format(StrEnum):
    """A format that a result can be exported to."""

    PNG = "png"
    NPZ = "npz"
    NETCDF = "netcdf"
    NIFTI = "nifti"


_SUFFIXES = {
    Format.PNG: ".png",
    Format.NPZ: ".npz",
    Format.NETCDF: ".nc",
    Format.NIFTI: ".nii.gz",
}


def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
    to: Annotated[
        Format,
        typer.Option(
            help="The figure (png), arrays for numpy (npz), all data (netcdf), or a map on the "
            "scan's grid (nifti)."
        ),
    ],
) -> None:
    from preddiff.media.names import named
    from preddiff.render import exports
    from preddiff.results import store

    name = named(result).name.removesuffix(".zarr") + _SUFFIXES[to]
    echo(exports.export(store.load(result), named(result).with_name(name)))


export.__doc__ = _HELP
