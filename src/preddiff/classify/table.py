"""The table that says which scan belongs to which group."""

import csv
import io
import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from preddiff.classify.covariates import Covariate
from preddiff.errors import InputError, nearest
from preddiff.media.reading import failures_as, read_text

# Texts that stand for a missing value: BIDS writes n/a, R NA, pandas and MATLAB NaN.
_MISSING = frozenset({"", "n/a", "na", "nan", "-nan", "#n/a", "#na", "<na>", "null"})
_MOST_LINES_NAMED = 10

Rows = dict[int, dict[str, str]]
"""Rows of a table by their line in the file, which is counted from 1."""


@dataclass(frozen=True)
class ScanTable:
    """Scans and their groups, one scan per row.

    Attributes
    ----------
    paths : the scans' files.
    labels : the group of each scan.
    subjects : who each scan is of; empty where every scan is of another subject.
    covariates : what is regressed out, one value per scan each.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    covariates: tuple[Covariate, ...] = ()

    @classmethod
    def read(
        cls,
        path: str | Path,
        image: str = "path",
        label: str = "group",
        *,
        subject: str | None = None,
        sites: Sequence[str] = (),
        covariates: Sequence[str] = (),
    ) -> Self:
        """Read a table from a file.

        Parameters
        ----------
        path : a file with commas, semicolons or tabs, whose first row names the columns.
        image : name of the column with the scans' paths, relative to the table's folder.
        label : name of the column with the groups.
        subject : name of the column that says who a scan is of, where some have several scans.
        sites : names of columns with categories that are regressed out.
        covariates : the same of columns with numbers; texts in them are categories.

        Raises
        ------
        InputError
            If the file cannot be read, a column, value or scan is missing, a scan is there twice,
            or there is only one group.
        """
        path = Path(path)
        used = [image, label, *([subject] if subject else []), *sites, *covariates]
        rows = rows_of(path, used)
        paths = {line: path.parent / row[image] for line, row in rows.items()}
        refuse_missing_and_repeated_scans(path, paths)
        labels = tuple(row[label] for row in rows.values())
        _check_groups(path, label, labels)

        def column(name: str) -> tuple[str, ...]:
            return tuple(row[name] for row in rows.values())

        return cls(
            tuple(paths.values()),
            labels,
            column(subject) if subject else (),
            (
                *(Covariate(name, column(name), is_category=True) for name in sites),
                *(Covariate(name, column(name)) for name in covariates),
            ),
        )

    def balanced(self) -> Self:
        """Return a table with as many rows of every group as the smallest group has.

        The first rows of each group are kept, as in the paper (section 4.2), so that the choice
        does not depend on a random seed.
        """
        smallest = min(Counter(self.labels).values())
        kept_per_group = Counter[str]()
        kept = []
        for row, label in enumerate(self.labels):
            kept_per_group[label] += 1
            if kept_per_group[label] <= smallest:
                kept.append(row)
        return replace(
            self,
            paths=tuple(self.paths[row] for row in kept),
            labels=tuple(self.labels[row] for row in kept),
            subjects=tuple(self.subjects[row] for row in kept) if self.subjects else (),
            covariates=tuple(covariate.of(kept) for covariate in self.covariates),
        )


def refuse_missing_and_repeated_scans(table: Path, paths: dict[int, Path]) -> None:
    """Raise an InputError if a scan is not there, or is that of another row as well."""
    # The same scan in several rows would stand in a fold and in the scans that the fold judges: on
    # random labels that gave an accuracy of 96 %. Links to one file are one scan.
    lines = defaultdict[Hashable, list[int]](list)
    for line, scan in paths.items():
        if not os.path.exists(scan):  # noqa: PTH110 - Path.exists raises for odd names
            raise InputError(f"{table}, line {line}: {scan}: no such file; correct the table")
        found = scan.stat()
        lines[found.st_dev, found.st_ino].append(line)
    for same in lines.values():
        if len(same) > 1:
            raise InputError(
                f"{table}, {_lines(same)}: the same scan, {paths[same[0]]}: expected every scan in "
                "one row; remove the others"
            )


def _check_groups(table: Path, column: str, labels: Sequence[str]) -> None:
    spellings = sorted(set(labels))
    if len(spellings) < 2:
        raise InputError(
            f"{table}: all of {column!r} are {labels[0]!r}: expected two groups or more"
        )
    by_name = dict[str, str]()
    for label in spellings:
        other = by_name.setdefault(label.casefold(), label)
        if other != label:
            raise InputError(
                f"{table}: groups {other!r} and {label!r} differ in capitals only: write them alike"
            )


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
        raise InputError(f"{path}: has no rows; expected one for every scan")
    return rows


def _refuse_missing_values(table: Path, column: str, rows: Rows) -> None:
    """Raise an InputError that names the rows without a value: else n/a would be a group."""
    missing = {
        line: row.get(column, "")
        for line, row in rows.items()
        if row.get(column, "").casefold() in _MISSING
    }
    if missing:
        spelt = ", ".join(repr(text) for text in sorted(set(missing.values())) if text)
        raise InputError(
            f"{table}, {_lines(missing)}: no {column!r}{f' ({spelt})' if spelt else ''}; "
            f"fill it in, or remove {'it' if len(missing) == 1 else 'them'}"
        )


def _delimiter(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv" and "\t" in header:
        return "\t"
    return max(",", ";", "\t", key=header.count)  # Excel writes ; where commas are decimal


def _lines(numbers: Iterable[int]) -> str:
    several = list(numbers)
    named = ", ".join(map(str, several[:_MOST_LINES_NAMED]))
    more = len(several) - _MOST_LINES_NAMED
    return f"line{'s' * (len(several) > 1)} {named}" + (f" and {more} more" if more > 0 else "")
