"""preddiff sampler fit, preddiff sampler show"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

sampler = typer.Typer(name="sampler", help="Fit samplers and look at them.", no_args_is_help=True)

_FIT = """
Fit a conditional sampler on the pictures of a FOLDER and those below it.

The statistics depend on the scale of the pictures: with --model they are first resized and
cropped as that model does.

Example: preddiff sampler fit pictures/ -o mine.npz --patch 14,
then preddiff explain cat.jpg --sampler conditional:mine.npz
"""

_SHOW = """
Show what a sampler FILE holds.

Example: preddiff sampler show mine.npz
"""


class Channels(StrEnum):
    """How the colour channels are treated."""

    JOINT = "joint"
    INDEPENDENT = "independent"


def fit(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the pictures are.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="An .npz file.")],
    patch: Annotated[int, typer.Option(metavar="L", help="Window + 2 × margin.")] = 14,
    channels: Annotated[
        Channels, typer.Option(help="One normal for all channels, or one for each.")
    ] = Channels.JOINT,
    model: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Resize and crop the pictures as this model does."),
    ] = None,
) -> None:
    from preddiff.media import images
    from preddiff.models import load_model
    from preddiff.samplers import ConditionalGaussian

    prepare = load_model(model).prepare if model else images.to_array
    pictures = (prepare(image) for image in images.stream(folder))
    fitted = ConditionalGaussian.fit(pictures, patch=patch, channels=channels)
    fitted.save(output)
    typer.echo(output)


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `sampler fit` wrote.")],
) -> None:
    from preddiff.samplers import ConditionalGaussian

    for name, value in ConditionalGaussian.load(file).summary().items():
        typer.echo(f"{name:24s} {value}")


fit.__doc__ = _FIT
show.__doc__ = _SHOW
sampler.command()(fit)
sampler.command()(show)
