"""Options that several commands share."""

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
