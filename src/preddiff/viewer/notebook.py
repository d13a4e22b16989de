"""What a notebook shows of an explanation: its page, in a frame of its own."""

from __future__ import annotations

from markupsafe import escape

from preddiff.explanation import Explanation
from preddiff.viewer.page import html

_HEIGHT = 900  # pixels, for the picture with its controls; the frame scrolls


def frame(explanation: Explanation) -> str:
    """The page as HTML within HTML; it can neither see nor change the notebook around it."""
    return (
        f'<iframe srcdoc="{escape(html(explanation))}" title="Relevance" '
        'sandbox="allow-scripts allow-downloads" '
        f'width="100%" height="{_HEIGHT}" style="border: 0"></iframe>'
    )
