"""The table that says which scan belongs to which group."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from preddiff.errors import InputError, first_line, nearest


@dataclass(frozen=True)
class ScanTable:
    """Scans and their groups, one subject per row.

    Attributes
    ----------
    paths : the scans' files.
    labels : the group of each scan.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]

    @classmethod
    def read(cls, path: str | Path, image: str = "path", label: str = "group") -> Self:
        """Read a table from a file.

        Parameters
        ----------
        path : a file with commas, or with tabs (.tsv), whose first row names the columns.
        image : name of the column with the scans' paths, relative to the table's folder.
        label : name of the column with the groups.

        Raises
        ------
        InputError
            If the file cannot be read, a column, value or scan is missing, or there is only one
            group.
        """
        path = Path(path)
        rows = _rows(path, (image, label))
        paths = tuple(path.parent / row[image].strip() for row in rows)
        # Row 1 of the file holds the names of the columns, so the first scan is on line 2.
        for line, scan in enumerate(paths, start=2):
            if not scan.exists():
                raise InputError(f"{path}, line {line}: {scan}: no such file; correct the table")
        labels = tuple(row[label].strip() for row in rows)
        if len(set(labels)) < 2:
            raise InputError(
                f"{path}: all of {label!r} are {labels[0]!r}: expected two groups or more"
            )
        return cls(paths, labels)

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
        return type(self)(
            tuple(self.paths[row] for row in kept), tuple(self.labels[row] for row in kept)
        )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a file in which every named column has a value."""
    if not path.is_file():
        raise InputError(f"{path}: no such table; check the path")
    try:
        # Spreadsheet programs put a byte-order mark first; utf-8-sig takes it or leaves it.
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            rows, known = list(reader), reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table of text ({first_line(error)})") from None
    for column in columns:
        if column not in known:
            raise InputError(
                f"{path}: no column {column!r}; it has {', '.join(known) or 'none'}"
                f"{nearest(column, known)}"
            )
        for line, row in enumerate(rows, start=2):
            if not (row[column] or "").strip():
                raise InputError(f"{path}, line {line}: no {column!r}; fill it in, or remove it")
    if not rows:
        raise InputError(f"{path}: has no rows; expected one for every scan")
    return rows
