"""preddiff classify fit, preddiff classify show"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

classify = typer.Typer(
    name="classify", help="Fit a linear classifier of scans, and look at it.", no_args_is_help=True
)

_FIT = """
Fit an L2 logistic regression on the voxels of the scans in a TABLE, and cross-validate it.

Example: preddiff classify fit study.csv --image path --label group --mask brain.nii.gz -o
study.skops, then preddiff explain scan.nii.gz --model study.skops --sampler marginal:scans/
"""

_SHOW = """
Show what a classifier was fitted on and how well it does.

Example: preddiff classify show study.skops
"""


def fit(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A .csv or .tsv file, one scan a row.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A .skops file.")],
    image: Annotated[
        str, typer.Option(metavar="COLUMN", help="The scans' paths, from the table's folder.")
    ] = "path",
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The scans' groups.")] = "group",
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Look only where this volume is not 0.")
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            metavar="AXIS:START:STOP",
            help="Look only at some slices, from 0, without STOP: sagittal:29:41, or x:29:41.",
        ),
    ] = None,
    folds: Annotated[int, typer.Option(metavar="N", help="Parts of the cross-validation.")] = 10,
    balance: Annotated[
        bool, typer.Option("--balance", help="Take only the first scans of larger groups.")
    ] = False,
    standardise: Annotated[
        bool, typer.Option("--standardise", help="Divide voxels by their standard deviation.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Which scans are in which part.")] = 0,
) -> None:
    from preddiff.classify import Table, Voxels
    from preddiff.classify import fit as fitted_on
    from preddiff.errors import SettingError
    from preddiff.media import volumes
    from preddiff.models.sources import skops

    if output.suffix != ".skops":
        raise SettingError(f"{output}: expected a name that ends in .skops")
    rows = Table.read(table, image, label)
    rows = rows.balanced() if balance else rows
    voxels = Voxels.choose(volumes.read(rows.paths[0]).grid, mask, slices)
    fitted = fitted_on(rows, voxels, folds=folds, standardise=standardise, seed=seed)
    skops.save(output, fitted.estimator, voxels.mask, voxels.grid, fitted.facts)
    _tell(fitted.facts)
    typer.echo(output)


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `classify fit` wrote.")],
) -> None:
    from preddiff.models.sources import skops

    _tell(skops.facts(file))


def _tell(facts: Mapping[str, Any]) -> None:
    groups = ", ".join(f"{count} {label}" for label, count in facts["groups"].items())
    over = f"over {facts['folds']} folds"
    lines = {
        "subjects": f"{facts['subjects']} ({groups})",
        "voxels": f"{facts['voxels']:,} of {facts['grid']}",
        "standardised": "yes" if facts["standardised"] else "no",
        "accuracy": f"{_share(facts, 'accuracy')} {over} (largest group {facts['chance']:.1%})",
        "balanced accuracy": f"{_share(facts, 'balanced_accuracy')} {over}",
        "AUC": f"{facts['auc']:.3f} ± {facts['auc_spread']:.3f} {over}",
    }
    for name, value in lines.items():
        typer.echo(f"{name:20s} {value}")


def _share(facts: Mapping[str, Any], name: str) -> str:
    return f"{facts[name]:.1%} ± {facts[f'{name}_spread']:.1%}"


fit.__doc__ = _FIT
show.__doc__ = _SHOW
classify.command()(fit)
classify.command()(show)
