"""Results in notebooks: the page, in a frame of its own, and the figure where there can be none."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from markupsafe import escape

from preddiff.errors import SettingError
from preddiff.render.figures import figure
from preddiff.viewer.page import html
from preddiff.viewer.still import DOTS_PER_INCH, data_uri

if TYPE_CHECKING:
    from preddiff.results.comparison import Comparison
    from preddiff.results.explanation import Explanation
    from preddiff.results.interactions import Interactions

_HEIGHT_PIXELS = 900  # the picture with its controls; the frame scrolls


def frame(explanation: Explanation | Comparison) -> str | None:
    """Return the page in a frame as HTML; None if there is none: notebooks show what there is.

    A page holds text from files (labels, names). In a sandbox without `allow-same-origin` the frame
    is of an origin of its own, so that it can neither read nor change the notebook around it.

    What is between the marks of a frame no browser shows. Notebooks of somebody else, which are not
    trusted, have their frames taken out, and only the marks: then the figure is left.
    """
    try:
        text = html(explanation)
    except SettingError:
        return None
    drawn = image(explanation)
    return (
        f'<iframe srcdoc="{escape(text)}" title="Relevance" '
        'sandbox="allow-scripts allow-downloads" '
        f'width="100%" height="{_HEIGHT_PIXELS}" style="border: 0">'
        + ("" if drawn is None else f'<img src="{data_uri(drawn)}" alt="Relevance">')
        + "</iframe>"
    )


def image(result: Explanation | Comparison | Interactions) -> bytes | None:
    """Return the figure as PNG, for what shows no HTML, such as PDF; None if there is none."""
    try:
        drawn = figure(result)
    except SettingError:
        return None
    written = io.BytesIO()
    drawn.savefig(written, format="png", dpi=DOTS_PER_INCH)
    return written.getvalue()
