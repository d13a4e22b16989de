"""The scans of one group in a table: what others are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from preddiff.classify.covariates import Covariate
from preddiff.classify.table import refuse_missing_and_repeated_scans
from preddiff.errors import InputError, SettingError, nearest
from preddiff.media.tables import rows_of


@dataclass(frozen=True)
class ReferenceGroup:
    """Scans of a group.

    Attributes
    ----------
    paths : the scans' files.
    name : COLUMN=VALUE, what they have in common; "" for all scans of a table.
    covariates : one value per scan each.
    """

    paths: tuple[Path, ...]
    name: str
    covariates: tuple[Covariate, ...] = ()

    @classmethod
    def read(
        cls,
        path: str | Path,
        where: str | None = None,
        image: str = "path",
        covariates: Sequence[str] = (),
        sites: Sequence[str] = (),
    ) -> ReferenceGroup:
        """Read the scans of a table that have one value in a column.

        Parameters
        ----------
        path : a file with commas, semicolons or tabs, whose first row names the columns.
        where : COLUMN=VALUE, such as group=control; None for all scans.
        image : name of the column with the scans' paths, relative to the table's folder.
        covariates : names of columns with numbers, or categories.
        sites : names of columns with categories, even if they look like numbers.

        Raises
        ------
        SettingError
            If `where` is something else.
        InputError
            If the table cannot be read, lacks a column, or has no such value.
        """
        path = Path(path)
        column, _, value = (where or "").partition("=")
        if where is not None and not (column and value):
            raise SettingError(f"where {where!r}: expected COLUMN=VALUE, e.g. group=control")
        rows = rows_of(path, [image, *([column] if column else []), *covariates, *sites])
        if column:
            every = Counter(row[column] for row in rows.values())
            rows = {line: row for line, row in rows.items() if row[column] == value}
            if not rows:
                known = ", ".join(f"{count} {name}" for name, count in sorted(every.items()))
                raise InputError(
                    f"{path}: no scan has {column!r} {value!r}; it has {known}"
                    f"{nearest(value, every)}"
                )
        paths = {line: path.parent / row[image] for line, row in rows.items()}
        refuse_missing_and_repeated_scans(path, paths)
        kinds = [(name, False) for name in covariates] + [(name, True) for name in sites]
        found = (
            Covariate(name, tuple(row[name] for row in rows.values()), is_category)
            for name, is_category in kinds
        )
        return cls(tuple(paths.values()), where or "", tuple(found))
