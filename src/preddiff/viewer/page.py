"""One self-contained HTML file per explanation or comparison: no server, no requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from preddiff.errors import SettingError
from preddiff.media import ours
from preddiff.media.atomic import atomic_write
from preddiff.render.mirrors import without_mirror
from preddiff.results.comparison import Comparison
from preddiff.results.explanation import Explanation
from preddiff.viewer import picture, volume


def page(
    explanation: Explanation | Sequence[Explanation],
    path: str | Path,
    *,
    drawn: str | Path | None = None,
) -> Path:
    """Write the page of an explanation, or of several of the same picture or scan.

    It shows the relevance over the picture, its standard error, the values of each pixel, and the
    settings. With several explanations a reader chooses between the settings in which they differ;
    maps of the same unit share one colour scale. Of a scan it shows three planes and a rendering,
    and each map has a scale of its own.

    Parameters
    ----------
    drawn : the figure of the first explanation that `export` wrote, .png, which stands on paper and
        where scripts are off; None draws it anew.

    Raises
    ------
    SettingError
        If there are no explanations, their inputs differ, or they are of neither pictures nor
        volumes.
    ResultError
        If the file cannot be written, or would replace one that is no page of ours.
    """
    path = Path(path)
    check_destination(path)
    text = html(explanation, drawn)
    with atomic_write(path) as written:
        # Names may hold what no encoding can: an escape is better than no page.
        written.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def check_destination(path: Path) -> None:
    """Raise a ResultError if a file exists there that is no page of ours."""
    ours.check_destination(path, ours.is_page)


def html(explanation: Explanation | Sequence[Explanation], drawn: str | Path | None = None) -> str:
    """Return the text that `page` writes."""
    figure = None if drawn is None else Path(drawn)
    given = [explanation] if isinstance(explanation, Explanation) else explanation
    several = Comparison([without_mirror(each) for each in given])
    if all(each.coverage.ndim == 3 for each in several):
        return volume.render(several, drawn=figure)
    for each in several:
        if each.coverage.ndim != 2:
            raise SettingError(
                f"an explanation of shape {each.coverage.shape}: expected a picture's (y, x), "
                "or volumes' (z, y, x) only; figure() shows rows and channels"
            )
    return picture.render(several, drawn=figure)
