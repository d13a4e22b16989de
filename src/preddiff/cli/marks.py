"""A section of a documentation page that a command fills with what it prints."""

from pathlib import Path

from preddiff.errors import ResultError
from preddiff.media.atomic import atomic_write, check_file
from preddiff.media.reading import read_text


def check(page: Path, name: str) -> None:
    """Raise a ResultError if a page lacks the marks of a section, or cannot be written.

    Commands call this before work that takes an hour, not after it.
    """
    check_file(page)
    _split(page, name)


def fill(page: Path, name: str, text: str) -> None:
    """Replace what stands between a section's marks; a page that does not exist is made."""
    before, after = _split(page, name)
    with atomic_write(page) as unfinished:
        unfinished.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def _split(page: Path, name: str) -> tuple[str, str]:
    """A page's text up to a section and from its end on, marks included."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    # Marks are HTML comments, which Markdown does not show.
    text = read_text(page, ResultError, "a Markdown page") if page.exists() else f"{begin}{end}\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ResultError(f"{page}: expected the marks {begin} and {end}, once each; add them")
    before, rest = text.split(begin)
    return before + begin, end + rest.split(end)[1]
