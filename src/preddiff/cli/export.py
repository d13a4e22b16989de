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
    ZIP = "zip"


class Map(StrEnum):
    """A map that a figure or a scan can show."""

    RELEVANCE = "relevance"
    IMPORTANCE = "importance"


_SUFFIXES = {
    Format.PNG: ".png",
    Format.NPZ: ".npz",
    Format.NETCDF: ".nc",
    Format.NIFTI: ".nii.gz",
    Format.ZIP: ".zarr.zip",
}


def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
    to: Annotated[
        Format,
        typer.Option(
            help="The figure (png), arrays for numpy (npz), all data (netcdf), a map on the "
            "scan's grid (nifti), or the result itself in one file (zip)."
        ),
    ],
    shown: Annotated[
        Map | None,
        typer.Option(
            "--map",
            help="What png and nifti show: evidence for and against (relevance), or how much the "
            "answer depends on each place, either way (importance). [default: relevance]",
        ),
    ] = None,
) -> None:
    from preddiff.media.names import name_of_result, named
    from preddiff.render import exports
    from preddiff.render.maps import DEFAULT_MAP
    from preddiff.results import store

    chosen = str(shown or DEFAULT_MAP)
    own = f".{chosen}" if chosen != DEFAULT_MAP and to in {Format.PNG, Format.NIFTI} else ""
    written = named(result).with_name(name_of_result(result) + own + _SUFFIXES[to])
    loaded = store.load(result)
    if to is Format.ZIP:
        echo(store.save(loaded, written))
    else:
        echo(exports.export(loaded, written, chosen))


export.__doc__ = _HELP
