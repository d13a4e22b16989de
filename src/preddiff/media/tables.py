"""Tables of text, whose first row names the columns."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from preddiff.errors import InputError, nearest
from preddiff.media.reading import failures_as, read_text

# Texts that stand for a missing value: BIDS writes n/a, R NA, pandas and MATLAB NaN.
_MISSING = frozenset({"", "n/a", "na", "nan", "-nan", "#n/a", "#na", "<na>", "null"})
_MOST_LINES_NAMED = 10

Rows = dict[int, dict[str, str]]
"""Rows of a table by their line in the file, which is counted from 1."""


def rows_of(path: Path, columns: Sequence[str]) -> Rows:
    """Return the rows of a file, in which every named column has a value.

    Raises
    ------
    InputError
        If the file cannot be read, or a column or value is missing.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such table; check the path")
    text = read_text(path, InputError, "a table of text")
    with failures_as(lambda why: InputError(f"{path}: not a table of text ({why})")):
        delimiter = _delimiter(path, text.splitlines()[0])
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        # The reader's own count of lines, as blank ones are no scans.
        cells = dict((reader.line_num, [cell.strip() for cell in row]) for row in reader)  # noqa: C402
    cells = {line: row for line, row in cells.items() if any(row)}
    known = cells.pop(min(cells)) if cells else []
    for column in columns:
        if known.count(column) != 1:
            many = "several columns" if column in known else "no column"
            raise InputError(
                f"{path}: {many} {column!r}; it has {', '.join(known) or 'none'}"
                f"{'' if column in known else nearest(column, known)}"
            )
    for line, row in cells.items():
        if len(row) > len(known):
            raise InputError(
                f"{path}, line {line}: {len(row)} values for {len(known)} columns; quote values "
                f"that contain {delimiter!r}"
            )
    rows = {line: dict(zip(known, row, strict=False)) for line, row in cells.items()}
    for column in columns:
        _refuse_missing_values(path, column, rows)
    if not rows:
        raise InputError(f"{path}: has no rows; expected one for every input")
    return rows


def lines_named(numbers: Iterable[int]) -> str:
    """Return numbers of lines in words, not too many of them."""
    several = list(numbers)
    named = ", ".join(map(str, several[:_MOST_LINES_NAMED]))
    more = len(several) - _MOST_LINES_NAMED
    return f"line{'s' * (len(several) > 1)} {named}" + (f" and {more} more" if more > 0 else "")


def is_missing(text: str) -> bool:
    """Return whether a text of a table stands for no value."""
    return text.casefold() in _MISSING


def _refuse_missing_values(table: Path, column: str, rows: Rows) -> None:
    """Raise an InputError that names the rows without a value: else n/a would be a group."""
    missing = {
        line: row.get(column, "") for line, row in rows.items() if is_missing(row.get(column, ""))
    }
    if missing:
        spelt = ", ".join(repr(text) for text in sorted(set(missing.values())) if text)
        raise InputError(
            f"{table}, {lines_named(missing)}: no {column!r}{f' ({spelt})' if spelt else ''}; "
            f"fill it in, or remove {'it' if len(missing) == 1 else 'them'}"
        )


def _delimiter(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv" and "\t" in header:
        return "\t"
    return max(",", ";", "\t", key=header.count)  # Excel writes ; where commas are decimal
