"""preddiff model"""

from typing import Annotated

import typer

from preddiff.cli.options import Labels, OutputKey, Preprocess, key_of
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
    from preddiff.models import load_model
    from preddiff.pipeline.model_report import inspect

    loaded = load_model(spec, preprocess=preprocess, labels=labels, output_key=key_of(output_key))
    facts, nodes = inspect(loaded)
    for name, value in facts.items():
        echo(f"{name:20s} {value}")
    if nodes:
        width = max(map(len, nodes))
        echo()
        echo(f"{'node':{width}s}  shape")
    for name, shape in nodes.items():
        echo(f"{name:{width}s}  {'×'.join(map(str, shape))}")


model.__doc__ = _HELP
