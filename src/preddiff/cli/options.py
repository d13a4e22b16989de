"""Options that several commands share."""

from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from preddiff.errors import SettingError

if TYPE_CHECKING:
    from preddiff.models import Model

Preprocess = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON file on how pictures are resized and normalised (docs/models.md).",
    ),
]

Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Names of the classes: one per line, or JSON such as id2label (docs/models.md).",
    ),
]


class VoxelOrder(StrEnum):
    """Axes of a volume from the slowest to the fastest."""

    XYZ = "xyz"
    ZYX = "zyx"


Order = Annotated[
    VoxelOrder | None,
    typer.Option(
        help="Order in which a scikit-learn classifier's volumes were flattened (docs/models.md).",
    ),
]

OutputKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Name or number of the output to explain, of a network of several (docs/models.md).",
    ),
]

ModelMask = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Scan whose voxels that are not 0 are a scikit-learn classifier's features "
        "(docs/models.md).",
    ),
]
OfInput = Annotated[
    Path | None,
    typer.Option(
        "--input", metavar="FILE", help="The input. [default: what the result holds of it]"
    ),
]
OfModel = Annotated[
    str | None,
    typer.Option("--model", metavar="SPEC", help="The model. [default: the one that is named]"),
]
OfSampler = Annotated[
    str | None,
    typer.Option("--sampler", metavar="SPEC", help="The sampler. [default: the one that is named]"),
]
OfMask = Annotated[
    Path | None, typer.Option("--mask", metavar="FILE", help="The mask, where there was one.")
]


def load(
    spec: str,
    preprocess: Path | None,
    order: VoxelOrder | None,
    mask: Path | None,
    output_key: str | None,
    labels: Path | None = None,
) -> "Model":
    """Return a model as options say that it is."""
    from preddiff.models import load_model

    stated: Literal["xyz", "zyx"] | None = None if order is None else order.value
    return load_model(
        spec,
        preprocess=preprocess,
        labels=labels,
        order=stated,
        mask=mask,
        output_key=output_key,
    )


def named_model(
    spec: str | None,
    preprocess: Path | None,
    order: VoxelOrder | None,
    mask: Path | None,
    output_key: str | None,
) -> "Model | None":
    """Return the model that is named in place of a result's own; None where none is."""
    if spec is not None:
        return load(spec, preprocess, order, mask, output_key)
    if (preprocess, order, mask, output_key) != (None,) * 4:
        raise SettingError(
            "--preprocess, --order, --model-mask, --output-key: are of a model that --model names"
        )
    return None


verbose: ContextVar[bool] = ContextVar("verbose", default=False)
"""True where warnings say what a library said."""
