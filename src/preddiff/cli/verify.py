"""preddiff verify"""

from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.options import (
    ModelMask,
    OfInput,
    OfMask,
    OfModel,
    OfSampler,
    Order,
    OutputKey,
    Preprocess,
    named_model,
)
from preddiff.cli.terminal import echo

_HELP = """
Check that a RESULT is what its own provenance makes.

Random windows are drawn again and held against the evidence in the file. Prints what was checked,
and ends with status 1 if anything differs.

Example: preddiff verify out/cat.zarr
"""


def verify(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
    windows: Annotated[
        int,
        typer.Option(
            "--windows",
            "--sets",
            metavar="N",
            help="How many windows, or sets of them, to draw again: more find smaller changes.",
        ),
    ] = 20,
    picture: OfInput = None,
    model: OfModel = None,
    preprocess: Preprocess = None,
    order: Order = None,
    model_mask: ModelMask = None,
    output_key: OutputKey = None,
    sampler: OfSampler = None,
    mask: OfMask = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of which windows. [default: others each time]"),
    ] = None,
) -> None:
    from preddiff.pipeline.verification import verify as verified
    from preddiff.results import store

    loaded = store.load(result)
    echo("Loading the model, and drawing again…", err=True)
    found = verified(
        loaded,
        windows,
        picture=picture,
        model=named_model(model, preprocess, order, model_mask, output_key),
        sampler=sampler,
        mask=mask,
        seed=seed,
    )
    for check in found.checks:
        echo(check)
    if windows < loaded.provenance["windows"] and found.passed:
        echo("To draw more again: --windows N; all: preddiff rerun", err=True)
    if not found.passed:
        raise SystemExit(1)


verify.__doc__ = _HELP
