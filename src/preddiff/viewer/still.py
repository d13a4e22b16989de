"""A picture of a page's first result, for readers without JavaScript and for paper.

Browsers print neither a canvas that has not been drawn yet nor one of WebGL that has been shown.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from preddiff.render.exports import DPI
from preddiff.render.figures import figure

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

DOTS_PER_INCH = 90  # legible on paper; twice as many would be half of a small page


def still(explanation: Explanation, kind: str, drawn: Path | None = None) -> str:
    """Return the figure of a result as a data URI.

    Parameters
    ----------
    kind : of the map: relevance or importance.
    drawn : the same figure as `export` wrote it, .png, which is only made smaller; None draws it.
    """
    written = io.BytesIO()
    if drawn is None:
        figure(explanation, map=kind).savefig(written, format="png", dpi=DOTS_PER_INCH)
    else:
        with Image.open(drawn) as opened:
            size = [round(length * DOTS_PER_INCH / DPI) for length in opened.size]
            opened.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(written, "PNG")
    return data_uri(written.getvalue())


def data_uri(png: bytes) -> str:
    """Return a PNG as an address that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
