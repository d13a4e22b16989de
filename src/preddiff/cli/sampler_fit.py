"""preddiff sampler fit"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preddiff.cli import families
from preddiff.cli.families import Channels, Family
from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from preddiff.media.folders import VolumeFolder
    from preddiff.samplers.files import Stored

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

_OF_COHORTS = "--covariate, --guard, --reach and --factors are of --family cohort; leave them out"


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
            help="A normal of patches, one of unknown scale (student), or several of them "
            "(mixture); of scans, a normal over the whole brain (cohort); or scans as they are "
            "(marginal)."
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
    reach: Annotated[
        float | None,
        typer.Option(
            metavar="MM",
            help="Cohort: mm beyond which nothing is said; by default, what foretells best.",
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
    from preddiff.media import folders, images, ours
    from preddiff.media.atomic import check_file
    from preddiff.models import load_model
    from preddiff.pipeline.progress import naming

    check_file(output)
    ours.check_destination(output, ours.is_sampler, overwrite=overwrite)
    table = source.suffix.lower() in {".csv", ".tsv"}
    if not table and (where is not None or covariate or image != "path"):
        raise SettingError(
            f"--where, --covariate and --image are of tables, but {source} is none: expected a "
            ".csv or .tsv file"
        )
    if family is not Family.COHORT and (
        covariate or any(each is not None for each in (guard, reach, factors))
    ):
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
        with naming(f"Fitting on {len(scans)} scans ({family.value})"):
            if family is Family.COHORT:
                fitted = families.fit_cohort(scans, mask, group, guard, reach, factors)
            elif family is Family.MARGINAL:
                fitted = families.keep_all(scans, mask)
            else:
                fitted = families.fit_patches(family, scans, length, grid, mask, stationary)
        fitted.reference = group.name if group else ""
    elif resample:
        raise SettingError("--resample is for volumes, but these are pictures; leave it out")
    else:
        prepare = load_model(model).prepare if model else images.to_array
        pictures = (prepare(image) for image in folders.read_pictures(source))
        with naming(f"Fitting on the pictures in {source} ({family.value})"):
            fitted = families.fit_pictures(family, pictures, length, channels, stationary)
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


fit.__doc__ = _FIT
