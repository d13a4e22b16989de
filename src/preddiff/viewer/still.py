"""A picture of a page's first result, for readers without JavaScript and for paper.

Browsers print neither a canvas that has not been drawn yet nor one of WebGL that has been shown.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from preddiff.render.figures import figure

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

_DOTS_PER_INCH = 90  # legible on paper; twice as many would be half of a small page


def still(explanation: Explanation, kind: str) -> str:
    """Return the figure of a result as a data URI.

    Parameters
    ----------
    kind : of the map: relevance or importance.
    """
    written = io.BytesIO()
    figure(explanation, map=kind).savefig(written, format="png", dpi=_DOTS_PER_INCH)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
