"""preddiff model"""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Show a model: its input, classes, nodes, and what explaining one picture costs.

Example: preddiff model torchvision:googlenet
"""


def model(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="As for `preddiff explain`.")],
    preprocess: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON that says how pictures are resized and normalised (docs/models.md).",
        ),
    ] = None,
) -> None:
    from preddiff.inspection import inspect
    from preddiff.models import load_model

    facts, nodes = inspect(load_model(spec, preprocess=preprocess))
    for name, value in facts.items():
        typer.echo(f"{name:20s} {value}")
    if nodes:
        width = max(map(len, nodes))
        typer.echo(f"\n{'node':{width}s}  shape")
    for name, shape in nodes.items():
        typer.echo(f"{name:{width}s}  {'×'.join(map(str, shape))}")


model.__doc__ = _HELP
