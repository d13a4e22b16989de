"""The results in a folder, one at a time: thousands do not fit into memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from preddiff.errors import ResultError
from preddiff.results import store
from preddiff.results.explanation import Explanation
from preddiff.types import AnyShape

_ENDINGS = (".zarr", ".zarr.zip")


def find_results(folder: Path) -> list[Path]:
    """Return the results in a folder and those below it, sorted; unfinished ones have no name yet.

    Raises
    ------
    ResultError
        If it is no folder, or holds no result.
    """
    if not folder.is_dir():
        raise ResultError(f"{folder}: no such folder; expected one with results")
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        names = [name for name in [*folders, *files] if name.endswith(_ENDINGS)]
        found += [Path(root) / name for name in names]
        folders[:] = [name for name in folders if not name.startswith(".") and name not in names]
    if not found:
        raise ResultError(f"{folder}: no results in this folder (NAME.zarr); check the path")
    return sorted(found)


def read_results(paths: list[Path]) -> Iterator[tuple[Path, Explanation | ResultError]]:
    """Yield each result, or why it cannot be read."""
    for path in paths:
        try:
            yield path, store.load(path)
        except ResultError as error:
            yield path, error


def coarse(values: AnyShape, most: int = 16) -> AnyShape:
    """Return a map (*shape) by the means of at most so many parts of each axis; NaN counts as 0."""
    result = np.nan_to_num(values).astype(np.float64)
    for axis, length in enumerate(values.shape):
        count = min(most, length)
        starts = np.arange(count) * length // count
        sizes = np.diff([*starts, length]).reshape(
            [-1 if a == axis else 1 for a in range(values.ndim)]
        )
        result = np.add.reduceat(result, starts, axis=axis) / sizes
    return result
