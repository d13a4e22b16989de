"""Options that several commands share."""

from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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

ModelMask = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Scan whose voxels that are not 0 are a scikit-learn classifier's features "
        "(docs/models.md).",
    ),
]

verbose: ContextVar[bool] = ContextVar("verbose", default=False)
"""True where warnings say what a library said."""
