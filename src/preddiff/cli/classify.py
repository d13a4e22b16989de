"""preddiff classify fit, preddiff classify show"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from preddiff.cli.terminal import echo

if TYPE_CHECKING:
    from preddiff.classify import ReferenceGroup, Voxels
    from preddiff.classify.fitting import ClassifierFacts
    from preddiff.samplers import Cohort

classify = typer.Typer(
    name="classify", help="Fit a linear classifier of scans, and show it.", no_args_is_help=True
)

_FIT = """
Fit an L2 logistic regression on the voxels of the scans in a TABLE, and cross-validate it.

Example: preddiff classify fit study.csv --image path --label group --mask brain.nii.gz -o
study.skops --reference group=control, then preddiff explain scan.nii.gz --model study.skops
"""

_SHOW = """
Show what a classifier was fitted on, and how accurate it is.

Example: preddiff classify show study.skops
"""


def fit(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A .csv or .tsv file, one scan per row.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The classifier's file, .skops.")
    ],
    image: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="Column with the scans' paths, relative to the table's folder."
        ),
    ] = "path",
    label: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column with the scans' groups.")
    ] = "group",
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that says who a scan is of: all scans of a subject come into one fold.",
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Column of categories to regress out, in every fold; repeatable."
        ),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Column of numbers to regress out, in every fold; repeatable."
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Use only voxels where this volume is not 0."),
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            metavar="AXIS:START:STOP",
            help="Use only some slices, counted from 0, without STOP: sagittal:29:41, or x:29:41.",
        ),
    ] = None,
    folds: Annotated[
        int, typer.Option(metavar="N", help="Number of folds of the cross-validation.")
    ] = 10,
    balance: Annotated[
        bool, typer.Option("--balance", help="Use only the first scans of larger groups.")
    ] = False,
    standardise: Annotated[
        bool, typer.Option("--standardise", help="Divide each voxel by its standard deviation.")
    ] = False,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample", help="Interpolate scans to the grid of the mask, else of the first scan."
        ),
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="The group that scans are compared with, e.g. group=control: also fit a sampler "
            "on it (cohort), with --site and --covariate, FILE.reference.npz, which `preddiff "
            "explain` then takes by itself. Without it, you fit a sampler yourself.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the division into folds.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier classifier of this name.")
    ] = False,
) -> None:
    from preddiff.classify import ReferenceGroup, ScanTable, Voxels
    from preddiff.classify import fit as fit_classifier
    from preddiff.errors import SettingError
    from preddiff.media import ours, volumes
    from preddiff.media.atomic import check_file
    from preddiff.models.remembered import Remembered
    from preddiff.models.sources import skops
    from preddiff.pipeline.progress import bar, naming, say

    if output.suffix != ".skops":
        raise SettingError(f"{output}: expected a name that ends in .skops")
    sampler_file = output.with_suffix(".reference.npz")
    check_file(output)
    ours.check_destination(output, ours.is_classifier, overwrite=overwrite)
    if reference is not None:
        check_file(sampler_file)
        ours.check_destination(sampler_file, ours.is_sampler, overwrite=overwrite)
    scans = ScanTable.read(
        table, image, label, subject=subject, sites=site or (), covariates=covariate or ()
    )
    scans = scans.balanced() if balance else scans
    grid = volumes.read(scans.paths[0]).grid
    voxels = Voxels.choose(grid, mask, slices, resampled=resample)
    group = None
    if reference is not None:
        group = ReferenceGroup.read(table, reference, image, covariate or (), site or ())
    # Before the folds, which take longest: a group that is too small is said at once.
    cohort = None
    if group is not None:
        with naming(f"Fitting a sampler on {len(group.paths)} scans of {group.name}"):
            cohort = _cohort(group, voxels)
    work = f"Reading {len(scans.paths)} scans, to fit {folds} times on a part and once on all"
    with bar("Fitting", "fits") as report, naming(work):
        fitted = fit_classifier(
            scans,
            voxels,
            folds=folds,
            standardise=standardise,
            seed=seed,
            progress=lambda done, of: report(done, of, None),
        )
    if cohort is not None:
        cohort.save(sampler_file)
        known = Remembered.of_file(sampler_file, cohort.reference, tuple(cohort.covariates))
        fitted.facts["sampler"] = known.facts
    skops.save(output, fitted.estimator, voxels.mask, voxels.grid, fitted.facts)
    _print(_lines(fitted.facts))
    if cohort is None:
        groups = ", ".join(fitted.facts["groups"])
        say(
            f"no sampler was fitted: --reference {label}=VALUE (of {groups}) fits one as well, "
            "which `preddiff explain` then takes by itself"
        )
    echo(output)


def _cohort(group: "ReferenceGroup", voxels: "Voxels") -> "Cohort":
    """Return the normal over a group's scans, in the voxels that the classifier takes."""
    from preddiff.classify.covariates import by_name
    from preddiff.samplers import Cohort

    return Cohort.fit(
        voxels.scans(group.paths),
        voxels.mask,
        covariates=by_name(group.covariates),
        reference=group.name,
    )


def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file from `preddiff classify fit`.")
    ],
) -> None:
    from preddiff.errors import ModelError
    from preddiff.media.reading import failures_as
    from preddiff.models.sources import skops

    facts = cast("ClassifierFacts", skops.facts(file))
    with failures_as(lambda why: ModelError(f"{file}: its facts are damaged ({why})")):
        lines = _lines(facts)
    _print(lines)


def _print(lines: Mapping[str, str]) -> None:
    for name, value in lines.items():
        echo(f"{name:20s} {value}")


def _lines(facts: "ClassifierFacts") -> dict[str, str]:
    groups = ", ".join(f"{count} {label}" for label, count in facts["groups"].items())
    accuracy = _share(facts["accuracy"], facts["accuracy_spread"])
    balanced = _share(facts["balanced_accuracy"], facts["balanced_accuracy_spread"])
    folds = f"over {facts['folds']} folds"
    who = "scans" if "people" in facts else "subjects"
    people = f" of {facts['people']} subjects" if "people" in facts else ""
    return {
        who: f"{facts['subjects']}{people} ({groups})",
        **_adjustment(facts),
        **({"resampled": "yes, to these voxels"} if facts.get("resampled") else {}),
        "voxels": f"{facts['voxels']:,} of {facts['grid']}",
        "standardised": "yes" if facts["standardised"] else "no",
        **_sampler(facts),
        "accuracy": f"{accuracy} {folds} (largest group {facts['chance']:.1%})",
        "balanced accuracy": f"{balanced} {folds}",
        "AUC": f"{facts['auc']:.3f} ± {facts['auc_spread']:.3f} {folds}",
    }


def _adjustment(facts: "ClassifierFacts") -> dict[str, str]:
    columns = facts.get("regressed_out", [])
    return {"regressed out": ", ".join(columns)} if columns else {}


def _sampler(facts: "ClassifierFacts") -> dict[str, str]:
    sampler = facts.get("sampler")
    if not sampler:
        return {}
    names = ", ".join(sampler.get("covariates", []))
    given = f", given {names}" if names else ""
    return {"reference group": f"{sampler['reference']}{given} ({sampler['file']})"}


def _share(mean: float, spread: float) -> str:
    return f"{mean:.1%} ± {spread:.1%}"


fit.__doc__ = _FIT
show.__doc__ = _SHOW
classify.command()(fit)
classify.command()(show)
