"""preddiff model"""

from typing import Annotated

import typer

from preddiff.cli.options import Labels, OutputKey, Preprocess, load
from preddiff.cli.terminal import echo

_HELP = """
Show a model's input, classes and nodes, and what it costs.

The cost is that of explaining one picture with the default settings, and with --paper.

Example: preddiff model torchvision:googlenet
"""


def model(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="A model, as for `preddiff explain`.")
    ],
    preprocess: Preprocess = None,
    labels: Labels = None,
    output_key: OutputKey = None,
) -> None:
    from preddiff.pipeline.model_report import inspect

    facts, nodes = inspect(load(spec, preprocess, None, None, output_key, labels))
    for name, value in facts.items():
        echo(f"{name:20s} {value}")
    if nodes:
        width = max(map(len, nodes))
        echo()
        echo(f"{'node':{width}s}  shape")
    for name, shape in nodes.items():
        echo(f"{name:{width}s}  {'×'.join(map(str, shape))}")


model.__doc__ = _HELP
