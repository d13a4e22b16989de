"""What a command prints, put between its marks in a page of the documentation."""

from pathlib import Path

from preddiff.errors import ResultError
from preddiff.media.atomic import atomic_write


def check(page: Path, name: str) -> None:
    """Raise a ResultError for a page without the marks: before the work, not after it."""
    _around(page, name)


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks; a page that is not there is made."""
    before, after = _around(page, name)
    with atomic_write(page) as written:
        written.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")


def _around(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after, with its marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8") if page.exists() else f"{begin}{end}\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ResultError(f"{page}: expected the marks {begin} and {end}, once each; add them")
    before, rest = text.split(begin)
    return before + begin, end + rest.split(end)[1]
