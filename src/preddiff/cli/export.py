"""preddiff export"""

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

_HELP = """
Write a RESULT in another program's format, next to the result.

Example: preddiff export out/cat.zarr --to netcdf; or
preddiff export out/scan.zarr --to pdf --slices sagittal:-32,sagittal:-10 --beside study.skops
"""


# An enumeration, so that typer lists the formats in --help and refuses any other.
class Format(StrEnum):
    """A format that a result can be exported to."""

    PNG = "png"
    PDF = "pdf"
    SVG = "svg"
    NPZ = "npz"
    NETCDF = "netcdf"
    NIFTI = "nifti"
    ZIP = "zip"
    CSV = "csv"


class Map(StrEnum):
    """A map that a figure or a scan can show."""

    RELEVANCE = "relevance"
    IMPORTANCE = "importance"


_SUFFIXES = {
    Format.PNG: ".png",
    Format.PDF: ".pdf",
    Format.SVG: ".svg",
    Format.NPZ: ".npz",
    Format.NETCDF: ".nc",
    Format.NIFTI: ".nii.gz",
    Format.ZIP: ".zarr.zip",
}


_FIGURES = frozenset({Format.PNG, Format.PDF, Format.SVG})


def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
    to: Annotated[
        Format,
        typer.Option(
            help="The figure (png, pdf, svg), arrays for numpy (npz), all data (netcdf), a map on "
            "the scan's grid (nifti), a table of regions (csv, with --regions), or the result "
            "itself in one file (zip)."
        ),
    ],
    shown: Annotated[
        Map | None,
        typer.Option(
            "--map",
            help="What figures and nifti show: evidence for and against (relevance), or how much "
            "the answer depends on each place, either way (importance). [default: relevance]",
        ),
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            metavar="PLANE:MM,...",
            help="Figures of scans: slices such as sagittal:-32,sagittal:-10. [default: those that "
            "meet where the map is largest]",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Figures of scans: colour what is above this share of the largest value. "
            "[default: 0.15]",
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Figures of scans: also show this map, or the weights of this .skops classifier.",
        ),
    ] = None,
    each_target: Annotated[
        bool,
        typer.Option(
            "--each-target", help="Write a file for each target, NAME.TARGET.nii.gz (or .png, …)."
        ),
    ] = False,
    outside: Annotated[
        float | None,
        typer.Option(
            metavar="VALUE", help="nifti: value of voxels that no window covers. [default: NaN]"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|N|NxM",
            help="csv: the regions: a scan of labels (an atlas), a number of superpixels, or boxes "
            "such as 4x4.",
        ),
    ] = None,
    region_names: Annotated[
        Path | None,
        typer.Option(
            "--names",
            metavar="TABLE",
            help="csv: names of the regions, .tsv or .csv (columns index, name).",
        ),
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="csv: take the nearest voxels of an atlas' grid.")
    ] = False,
) -> None:
    from preddiff.media.names import file_names, name_of_result, named
    from preddiff.models import load_model
    from preddiff.render import exports
    from preddiff.render.maps import DEFAULT_MAP
    from preddiff.render.strips import DEFAULT_THRESHOLD
    from preddiff.results import store

    if to is Format.CSV:
        _check_options(to, slices=slices, threshold=threshold, beside=beside, outside=outside)
        echo(_table(result, regions, region_names, resample))
        return
    if regions is not None or region_names is not None or resample:
        raise SettingError("--regions, --names, --resample: are of --to csv; leave them out")
    _check_options(to, slices=slices, threshold=threshold, beside=beside, outside=outside)
    if each_target and to not in {*_FIGURES, Format.NIFTI}:
        raise SettingError("--each-target: is of figures and nifti; leave it out")

    chosen = str(shown or DEFAULT_MAP)
    own = f".{chosen}" if chosen != DEFAULT_MAP and to in {*_FIGURES, Format.NIFTI} else ""
    stem = name_of_result(result)
    found = store.load(result)
    if to is Format.ZIP:
        echo(store.save(found, named(result).with_name(stem + _SUFFIXES[to])))
        return
    targets: list[str | None] = [*found.labels] if each_target else [None]
    parts = [f".{name or 'target'}" for name in file_names(list(found.labels))]
    names = parts if each_target else [""]
    model = beside is not None and beside.suffix == ".skops"
    for target, name in zip(targets, names, strict=True):
        path = named(result).with_name(f"{stem}{own}{name}{_SUFFIXES[to]}")
        written = exports.export(
            found,
            path,
            chosen,
            target=target,
            outside=math.nan if outside is None else outside,
            slices=[each.strip() for each in slices.split(",")] if slices else (),
            threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
            beside=load_model(beside) if model else beside,
        )
        echo(written)


def _table(result: Path, regions: str | None, names: Path | None, resample: bool) -> Path:
    """Write the table of regions beside a result, and return its path."""
    from preddiff.media import ours
    from preddiff.media.atomic import atomic_write
    from preddiff.media.names import name_of_result, named
    from preddiff.results import store
    from preddiff.results.region_table import region_table

    if regions is None:
        raise SettingError("--to csv: is a table of regions; say which with --regions")
    explanation = store.load(result)
    table = region_table(explanation, regions, names, resample=resample)
    path = named(result).with_name(f"{name_of_result(result)}.regions.csv")
    ours.check_destination(path, ours.is_region_table)
    if explanation.coverage.dims == ("y", "x"):
        _outlines(explanation, regions, path.with_suffix(".png"))
    with atomic_write(path) as written:
        table.to_csv(written, index=False)
    if (table["speaks"] == "unclear").any():
        echo("column speaks, unclear: its sign may be chance (or its error is unknown)", err=True)
    return path


def _outlines(explanation: "Explanation", regions: str, path: Path) -> None:
    """Write a picture of the regions with their numbers."""
    from preddiff.render import exports
    from preddiff.results.region_table import labels_on

    labels = labels_on(explanation, regions, resample=False)
    exports.export_outlines(explanation, labels, path)


def _check_options(to: Format, *, outside: float | None, **of_figures: object) -> None:
    """Raise a SettingError for options that are of another format."""
    for name, value in of_figures.items():
        if value is not None and to not in _FIGURES:
            raise SettingError(f"--{name}: is of figures (png, pdf, svg); leave it out")
    if outside is not None and to is not Format.NIFTI:
        raise SettingError("--outside: is of --to nifti; leave it out")


export.__doc__ = _HELP
