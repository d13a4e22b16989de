"""Explanations in notebooks: the page, in a frame of its own."""

from __future__ import annotations

from markupsafe import escape

from preddiff.errors import SettingError
from preddiff.results.comparison import Comparison
from preddiff.results.explanation import Explanation
from preddiff.viewer.page import html

_HEIGHT_PIXELS = 900  # the picture with its controls; the frame scrolls


def frame(explanation: Explanation | Comparison) -> str | None:
    """Return the page in a frame as HTML; None, for which notebooks show text, if there is no page.

    A page holds text from files (labels, names). In a sandbox without `allow-same-origin` the frame
    is of an origin of its own, so that it can neither read nor change the notebook around it.
    """
    try:
        text = html(explanation)
    except SettingError:
        return None
    return (
        f'<iframe srcdoc="{escape(text)}" title="Relevance" '
        'sandbox="allow-scripts allow-downloads" '
        f'width="100%" height="{_HEIGHT_PIXELS}" style="border: 0"></iframe>'
    )
