"""The table that says which scan belongs to which group."""

import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from preddiff.classify.covariates import Covariate
from preddiff.errors import InputError
from preddiff.media.tables import lines_named, rows_of


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
                f"{table}, {lines_named(same)}: the same scan, {paths[same[0]]}: expected every "
                "scan in one row; remove the others"
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
