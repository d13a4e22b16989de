"""preddiff rerun"""

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
Make a RESULT again, all of it, from its own provenance.

Writes NAME.rerun.zarr, prints how it compares with the RESULT, and ends with status 1 if the two
differ by more than rounding.

Example: preddiff rerun out/cat.zarr --input cat.jpg
"""


def rerun(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, NAME.zarr.")],
    picture: OfInput = None,
    model: OfModel = None,
    preprocess: Preprocess = None,
    order: Order = None,
    model_mask: ModelMask = None,
    output_key: OutputKey = None,
    sampler: OfSampler = None,
    mask: OfMask = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="[default: NAME.rerun.zarr]"),
    ] = None,
) -> None:
    from preddiff.media.names import name_of_result, named
    from preddiff.pipeline.rerun import held_against
    from preddiff.pipeline.rerun import rerun as made_again
    from preddiff.results import store

    loaded = store.load(result)
    own = named(result)
    written = output or own.with_name(name_of_result(own) + ".rerun.zarr")
    store.check_destination(written)
    made = made_again(
        loaded,
        picture=picture,
        model=named_model(model, preprocess, order, model_mask, output_key),
        sampler=sampler,
        mask=mask,
        progress=True,
    )
    store.save(made, written)
    check = held_against(made, loaded)
    echo(check)
    echo(written)
    if not check.passed:
        raise SystemExit(1)


rerun.__doc__ = _HELP
