"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Preprocess = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON that says how pictures are resized and normalised (docs/models.md).",
    ),
]
