"""preddiff sampler fit, preddiff sampler show, preddiff sampler check"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from preddiff.classify import ReferenceGroup
    from preddiff.media.folders import VolumeFolder
    from preddiff.samplers import (
        Cohort,
        ConditionalGaussian,
        Located,
        Marginal,
        StationaryGaussian,
    )
    from preddiff.samplers.files import Stored
    from preddiff.types import Pixels

sampler = typer.Typer(name="sampler", help="Fit samplers and show them.", no_args_is_help=True)

_FIT = """
Fit a sampler on the pictures or volumes in a FOLDER and its subfolders, or on the scans in a TABLE
(.csv or .tsv, one scan per row).

The statistics depend on the scale of the pictures. With --model they are first resized and cropped
as that model does.

Example: preddiff sampler fit pictures/ -o mine.npz --patch 14,
then preddiff explain cat.jpg --sampler conditional:mine.npz;
preddiff sampler fit pictures/ -o large.npz --patch 44 --stationary, for windows of 40; or
preddiff sampler fit scans/ -o brain.npz --patch 7 --grid 20,20,20 --mask brain.nii.gz;
preddiff sampler fit study.csv -o controls.npz --family cohort --where group=control
"""

_SHOW = """
Show the contents of a sampler FILE.

Example: preddiff sampler show mine.npz
"""

_CHECK = """
Hold samplers against what really stands in windows of a FOLDER of pictures or volumes.

Prints the log2 density of a window in bits per value, where the sampler knows it; how far the mean
of its draws is off; how often a central interval of the draws holds the true value; how well a
small classifier tells drawn windows from real ones (area under the ROC curve, 0.5 is chance); and
draws a second.

Example: preddiff sampler check conditional inpaint:telea --on pictures/ -o draws.png
"""


class Channels(StrEnum):
    """The normal of the colour channels: one of all, or one of each."""

    JOINT = "joint"
    INDEPENDENT = "independent"


class Family(StrEnum):
    """Kind of sampler that is fitted."""

    CONDITIONAL = "conditional"
    STUDENT = "student"
    COHORT = "cohort"
    MARGINAL = "marginal"


_OF_COHORTS = "--covariate, --guard and --factors are of --family cohort; leave them out"


def fit(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of pictures or volumes, or a TABLE of scans."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The sampler's file, .npz.")
    ],
    patch: Annotated[
        int | None,
        typer.Option(
            metavar="L",
            help="Length of the patch: window + 2 × margin. [default: 14, of volumes 7]",
        ),
    ] = None,
    channels: Annotated[
        Channels, typer.Option(help="One normal for all colour channels, or one for each.")
    ] = Channels.JOINT,
    model: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Resize and crop the pictures as this model does."),
    ] = None,
    stationary: Annotated[
        bool,
        typer.Option(
            help="For large patches: a covariance that depends on the lag alone; pictures have to "
            "be twice as long as a patch."
        ),
    ] = False,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="Z,Y,X", help="Volumes: fit a normal for each cell of this grid, e.g. 20,20,20."
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Volumes: fit only where this volume is not 0."),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample",
            help="Interpolate volumes to the grid of the mask, else of the first volume.",
        ),
    ] = False,
    family: Annotated[
        Family,
        typer.Option(
            help="A normal of patches, or of unknown scale (student); of scans, a normal over the "
            "whole brain (cohort); or scans as they are (marginal)."
        ),
    ] = Family.CONDITIONAL,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="A TABLE's reference group: only scans with this value."
        ),
    ] = None,
    image: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="A TABLE's column with paths, relative to the table's folder."
        ),
    ] = "path",
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Cohort: a TABLE's column such as age or sex; repeatable."
        ),
    ] = None,
    guard: Annotated[
        float | None,
        typer.Option(
            metavar="MM", help="Cohort: mm around a window that say nothing. [default: 12]"
        ),
    ] = None,
    factors: Annotated[
        int | None,
        typer.Option(metavar="N", help="Cohort: how many; by default, those that foretell best."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier sampler of this name.")
    ] = False,
) -> None:
    from preddiff.classify import ReferenceGroup
    from preddiff.media import folders, images, ours, volumes
    from preddiff.media.atomic import check_file
    from preddiff.models import load_model
    from preddiff.samplers import StudentT

    check_file(output)
    ours.check_destination(output, ours.is_sampler, overwrite=overwrite)
    table = source.suffix.lower() in {".csv", ".tsv"}
    if not table and (where is not None or covariate or image != "path"):
        raise SettingError(
            f"--where, --covariate and --image are of tables, but {source} is none: expected a "
            ".csv or .tsv file"
        )
    if family is not Family.COHORT and (covariate or guard is not None or factors is not None):
        raise SettingError(_OF_COHORTS)
    group = ReferenceGroup.read(source, where, image, covariate or ()) if table else None
    if family is not Family.CONDITIONAL and (grid is not None or stationary):
        raise SettingError(
            f"--grid and --stationary are of --family conditional, not of {family.value}; leave "
            "them out"
        )
    # --grid and --mask make sense for volumes only, so they decide even where the folder is empty:
    # the complaint is then that it has no volumes.
    of_scans = family in {Family.COHORT, Family.MARGINAL}
    of_volumes = group or grid is not None or mask is not None or of_scans
    of_volumes = bool(of_volumes) or folders.contains_volumes(source)
    length = patch if patch is not None else 7 if of_volumes else 14
    if of_volumes:
        if model is not None or channels is not Channels.JOINT:
            raise SettingError(
                "--model and --channels are for pictures, but these are volumes, which have one "
                "channel and are never resized; leave both options out"
            )
        if stationary and (grid is not None or mask is not None):
            raise SettingError(
                "--stationary: one covariance serves everywhere; leave --grid and --mask out"
            )
        scans = _scans(source if group is None else group.paths, mask, resample=resample)
        fitted: Stored
        if family is Family.CONDITIONAL:
            fitted = _fit_patches(scans, length, grid, mask, stationary)
        elif family is Family.STUDENT:
            inside = None if mask is None else volumes.read_mask(mask, scans.grid)
            fitted = StudentT.fit(scans, patch=length, mask=inside)
        elif family is Family.COHORT:
            fitted = _fit_cohort(scans, mask, group, guard, factors)
        else:
            fitted = _keep_all(scans, mask)
        fitted.reference = group.name if group else ""
    elif resample:
        raise SettingError("--resample is for volumes, but these are pictures; leave it out")
    else:
        prepare = load_model(model).prepare if model else images.to_array
        pictures = (prepare(image) for image in folders.read_pictures(source))
        if family is Family.STUDENT:
            fitted = StudentT.fit(pictures, patch=length, channels=channels)
        else:
            fitted = _fit_pictures(pictures, length, channels, stationary)
    fitted.save(output)
    echo(output)


def _scans(source: "Path | Sequence[Path]", mask: Path | None, *, resample: bool) -> "VolumeFolder":
    """Return volumes on one grid: the mask's, else the first one's, where they are resampled."""
    from preddiff.media import volumes
    from preddiff.media.folders import VolumeFolder

    scans = VolumeFolder(source, cure="resample it, or let it be resampled (--resample)")
    if not resample:
        return scans
    onto = scans.grid if mask is None else volumes.read(mask, quiet=True).grid
    return VolumeFolder(scans.paths, onto)


def _fit_pictures(
    pictures: "Iterable[Pixels]", patch: int, channels: Channels, stationary: bool
) -> "ConditionalGaussian | StationaryGaussian":
    from preddiff.samplers import ConditionalGaussian, StationaryGaussian

    if not stationary:
        return ConditionalGaussian.fit(pictures, patch=patch, channels=channels)
    if channels is not Channels.JOINT:
        raise SettingError("--stationary: channels are joint; leave --channels out")
    return StationaryGaussian.fit(pictures, patch=patch)


def _fit_patches(
    cohort: "VolumeFolder", patch: int, grid: str | None, mask: Path | None, stationary: bool
) -> "ConditionalGaussian | Located | StationaryGaussian":
    from preddiff.media import volumes
    from preddiff.samplers import ConditionalGaussian, Located, StationaryGaussian

    if stationary:
        return StationaryGaussian.fit(cohort, patch=patch)
    inside = None if mask is None else volumes.read_mask(mask, cohort.grid)
    if grid is None:
        return ConditionalGaussian.fit(cohort, patch=patch, mask=inside)
    return Located.fit(cohort, patch=patch, grid=_cell_counts(grid), mask=inside)


def _fit_cohort(
    scans: "VolumeFolder",
    mask: Path | None,
    group: "ReferenceGroup | None",
    guard: float | None,
    factors: int | None,
) -> "Cohort":
    from preddiff.classify.covariates import by_name
    from preddiff.media import volumes
    from preddiff.samplers import Cohort
    from preddiff.samplers.brain.cohort import GUARD

    return Cohort.fit(
        scans,
        None if mask is None else volumes.read_mask(mask, scans.grid),
        factors=factors,
        guard=GUARD if guard is None else guard,
        covariates=by_name(group.covariates) if group else {},
    )


def _keep_all(scans: "VolumeFolder", mask: Path | None) -> "Marginal":
    import numpy as np

    from preddiff.samplers import Marginal

    if mask is not None:
        raise SettingError("--mask: marginal keeps whole scans; leave it out")
    return Marginal(np.stack(list(scans)), scan_grid=scans.grid)


def _cell_counts(grid: str) -> list[int]:
    """The numbers in Z,Y,X."""
    try:
        return [int(part) for part in grid.split(",")]
    except ValueError:
        raise SettingError(f"--grid {grid}: expected whole numbers, e.g. 20,20,20") from None


def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file from `preddiff sampler fit`.")
    ],
) -> None:
    from preddiff.samplers.load import read_sampler

    for name, value in read_sampler(file).summary().items():
        echo(f"{name:24s} {value}")


def check(
    samplers: Annotated[
        list[str],
        typer.Argument(metavar="SAMPLER...", help="Samplers, as for `preddiff explain`."),
    ],
    folder: Annotated[
        Path,
        typer.Option(
            "--on", metavar="FOLDER", help="Pictures or volumes that they were not fitted on."
        ),
    ],
    window: Annotated[
        int | None,
        typer.Option(metavar="K", help="Length of a window. [default: 10, of volumes 3]"),
    ] = None,
    margin: Annotated[
        int, typer.Option(metavar="M", help="Pixels or voxels around a window on each side.")
    ] = 2,
    windows: Annotated[int, typer.Option(metavar="N", help="Windows of each picture.")] = 20,
    samples: Annotated[int, typer.Option(metavar="N", help="Draws of each window.")] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of windows and draws.")] = 0,
    model: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Resize and crop the pictures as this model does."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also draw windows and draws side by side, .png.",
        ),
    ] = None,
) -> None:
    from preddiff.media import folders, ours
    from preddiff.media.atomic import check_file
    from preddiff.studies import machine
    from preddiff.studies.sampler_check import sheet, table
    from preddiff.studies.sampler_check.run import check_pictures, check_volumes
    from preddiff.studies.sampler_check.scores import Check

    if output is not None:
        check_file(output)
        ours.check_destination(output, ours.is_figure)
    of_volumes = folders.contains_volumes(folder)
    length = window if window is not None else 3 if of_volumes else 10
    wanted = Check(length, margin, windows, samples, seed)
    if not of_volumes:
        found = check_pictures(samplers, folder, wanted, model)
    elif model is None:
        found = check_volumes(samplers, folder, wanted)
    else:
        raise SettingError("--model is for pictures, but these are volumes; leave it out")
    echo(machine.describe())
    for line in table.lines(found, length, margin, "volumes" if of_volumes else "pictures"):
        echo(line)
    if output is not None:
        sheet.write(found, output)
        echo(output)


fit.__doc__ = _FIT
check.__doc__ = _CHECK
show.__doc__ = _SHOW
sampler.command()(fit)
sampler.command()(show)
sampler.command()(check)
