"""What a notebook shows of an explanation: its page, in a frame of its own."""

from __future__ import annotations

from markupsafe import escape

from preddiff.errors import SettingError
from preddiff.results.explanation import Explanation
from preddiff.viewer.page import html

_HEIGHT = 900  # pixels, for the picture with its controls; the frame scrolls


def frame(explanation: Explanation) -> str | None:
    """The page as HTML within HTML; it can neither see nor change the notebook around it.

    None, for which notebooks show the text, where there is no page of its kind.
    """
    try:
        text = html(explanation)
    except SettingError:
        return None
    return (
        f'<iframe srcdoc="{escape(text)}" title="Relevance" '
        'sandbox="allow-scripts allow-downloads" '
        f'width="100%" height="{_HEIGHT}" style="border: 0"></iframe>'
    )
