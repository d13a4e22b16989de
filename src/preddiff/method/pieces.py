"""Pieces: boxes of an array, in each of which the same windows cover every element."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy import sparse

from preddiff.method.windows import Windows
from preddiff.types import Floats, Integers, Relevance


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of an array.

    Attributes
    ----------
    numbers : (*shape), the piece that each element is in.
    means : (piece, window), the weights of windows in the mean of those that cover a piece; a row
        without weights where none does.
    """

    numbers: Annotated[Integers, "*shape"]
    means: sparse.csr_array

    @classmethod
    def of(cls, windows: Windows) -> "Pieces":
        """Return the pieces that the edges of windows cut an array into."""
        ends = windows.starts + np.array(windows.size)
        edges = [np.unique([0, *a, *b]) for a, b in zip(windows.starts.T, ends.T, strict=True)]
        at = [
            np.searchsorted(edge, np.arange(length), side="right") - 1
            for edge, length in zip(edges, windows.shape, strict=True)
        ]
        counts = tuple(len(edge) for edge in edges)
        numbers = np.ravel_multi_index(np.meshgrid(*at, indexing="ij"), counts)
        first, last = (
            np.stack([np.searchsorted(e, c) for e, c in zip(edges, corners.T, strict=True)], axis=1)
            for corners in (windows.starts, ends)
        )
        covered = [
            np.ravel_multi_index(np.meshgrid(*map(np.arange, a, b), indexing="ij"), counts).ravel()
            for a, b in zip(first, last, strict=True)
        ]
        rows = np.concatenate(covered)
        columns = np.repeat(np.arange(len(windows)), [len(each) for each in covered])
        weights = 1 / np.bincount(rows)[rows]
        shape = (int(np.prod(counts)), len(windows))
        return cls(numbers, sparse.csr_array((weights, (rows, columns)), shape=shape))

    def everywhere(self, values: Annotated[Floats, "target piece"]) -> Relevance:
        """Return the values of the pieces at each element, (t, *shape); NaN where no window is."""
        covered = np.diff(self.means.indptr) > 0
        return np.asarray(np.where(covered, values, np.nan)[:, self.numbers])
