"""Located: a normal of its own for every cell of a grid over the volume (section 4.2)."""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base
from preddiff.samplers.gaussian import cells, fitting, normal
from preddiff.samplers.gaussian.parallel import side_by_side
from preddiff.samplers.gaussian.patchwise import Alike, Patchwise, by_key

Floats = NDArray[np.float64]
Place = tuple[int, tuple[int, ...], tuple[int, ...]]
"""A cell, where the window is in its patch, and the window's size."""

_MEMORY = 1 << 30  # bytes of statistics that are gathered in one pass over the volumes
_KEPT = 1 << 29  # bytes of conditional normals that are kept for the next input, about
_PARTS = 16  # that an input's windows are shared out in


class Located(Patchwise):
    """Draws the window from a normal over the patch that depends on where the patch is.

    Made by `Located.fit` or `Located.load`. For volumes that lie on one grid, as scans do that were
    brought to a standard space: a patch's cell is told by where it begins.

    Parameters
    ----------
    grid : the cells.
    shape : (channel, *patch) of a patch.
    mean, covariance : the whole cohort's, of patches flattened in C order.
    fitted : numbers of the cells that have statistics of their own, ascending; others have the
        cohort's.
    means : (cell, p), relative to the cohort's: see `cells.py`.
    units : (cell, p · (p + 1) / 2), lower triangles of what makes the covariances, relative to the
        cohort's, to 1.
    clip, pairs, facts : as in ConditionalGaussian.
    """

    kind = "located"

    def __init__(
        self,
        grid: cells.Grid,
        shape: tuple[int, ...],
        mean: Floats,
        covariance: Floats,
        fitted: NDArray[np.int64],
        means: NDArray[np.float32],
        units: NDArray[np.float32],
        *,
        clip: bool = True,
        pairs: bool = False,
        **facts: Any,
    ) -> None:
        self.grid = grid
        self.shape = shape
        self.mean = mean
        self.covariance = covariance
        self.fitted = fitted
        self.means = means
        self.units = units
        self.clip = clip
        self.pairs = pairs
        self.facts = facts
        normal.check(mean, covariance, shape)

    @classmethod
    def fit(
        cls,
        volumes: Iterable[ArrayLike],
        patch: int = 7,
        grid: Sequence[int] = (20, 20, 20),
        mask: ArrayLike | None = None,
        *,
        clip: bool = True,
        memory: int = _MEMORY,
    ) -> Self:
        """Estimate the cells' normals from a cohort.

        Parameters
        ----------
        volumes : arrays (channel, *spatial) of one shape. They are gone through several times, so
            a generator will not do: a list, or an object that reads them anew each time.
        patch : length of the patch (the paper's l).
        grid : cells in each direction.
        mask : (*spatial), true where the analysis is going to look: only cells that it reaches are
            fitted, and the cohort's own normal is of patches that are centred in it.
        memory : bytes of statistics that are gathered in one pass over the volumes; the more, the
            fewer passes.

        Raises
        ------
        SamplerError
            If the volumes differ in shape, or are too few for the number of values in a patch.
        """
        if iter(volumes) is volumes:
            raise SamplerError(
                "the volumes are gone through several times: expected a list, or an object that "
                "reads them anew, no generator"
            )
        inside = None if mask is None else np.asarray(mask).astype(bool)
        mean, covariance, shape, facts = fitting.patch_statistics(volumes, patch, "joint", inside)
        spatial = np.shape(next(iter(volumes)))[1:]
        if len(grid) != len(spatial) or min(grid) < 1:
            raise SamplerError(
                f"grid={tuple(grid)}: expected {len(spatial)} numbers of cells of at least 1"
            )
        where = cells.Grid.over(spatial, patch, tuple(grid))
        fitted, size = where.touching(inside), len(mean)
        lower = np.tri(size, dtype=bool)
        means = np.empty((len(fitted), size), dtype=np.float32)
        units = np.empty((len(fitted), lower.sum()), dtype=np.float32)
        several = max(1, memory // (8 * size * (size + 1)))
        for first in range(0, len(fitted), several):
            part = slice(first, first + several)
            own, to_1 = cells.statistics(volumes, where, fitted[part], mean, covariance)
            means[part] = own
            for n, unit in enumerate(to_1, start=first):
                units[n] = unit[lower]
        return cls(where, shape, mean, covariance, fitted, means, units, clip=clip, **facts)

    def paired(self) -> Self:
        return type(self)(*self._parts, clip=self.clip, pairs=True, **self.facts)

    @cached_property
    def sha256(self) -> str:
        arrays = {name: value for name, value in self._arrays.items() if name != "shape"}
        return base.fingerprint(**arrays, shape=self.shape, clip=self.clip)

    def summary(self) -> dict[str, str]:
        """What there is to know of the sampler, in words and numbers."""
        return {
            "kind": "located normal",
            "volumes": "×".join(map(str, self.grid.spatial)),
            "patch": "×".join(map(str, self.shape[1:])),
            "cells": "×".join(map(str, self.grid.cells)),
            "cells fitted": str(len(self.fitted)),
            **{name: str(value) for name, value in self.facts.items()},
            "clipped": "yes" if self.clip else "no",
            "sha256": self.sha256,
        }

    def central(self, patch: int) -> Self:
        """The sampler itself, of patches that are `patch` long; others it cannot serve."""
        if any(patch != n for n in self.shape[1:]):
            raise SamplerError(
                f"window + 2·margin needs patches of {patch}, the sampler was fitted on patches "
                f"of {_times(self.shape[1:])}: choose a window or margin that fits, or fit it with "
                f"--patch {patch}"
            )
        return self

    def check(
        self, inputs: NDArray[np.float32], windows: Windows, valid: base.Range | None
    ) -> None:
        super().check(inputs, windows, valid)
        if windows.shape != self.grid.spatial:
            raise SamplerError(
                f"the sampler was fitted on volumes of {_times(self.grid.spatial)}, the input has "
                f"{_times(windows.shape)}: expected the same grid; resample the input, or fit anew"
            )

    def project(
        self, weights: Floats, inputs: NDArray[np.float32], windows: Windows
    ) -> Iterator[base.Normals]:
        """As of any patchwise sampler, with some of the cells in each thread."""
        mean = np.empty((len(weights), len(windows)))
        covariance = np.empty((len(weights), *mean.shape))
        by_cell = np.argsort(self.grid.numbers(self._corners(windows)), kind="stable")

        def put(part: NDArray[np.int64]) -> None:
            some = windows.subset(part)
            for normals in super(Located, self).project(weights, inputs, some):
                mean[:, part], covariance[:, :, part] = normals

        side_by_side(put, np.array_split(by_cell, min(_PARTS, len(windows))))
        yield mean, covariance

    def normal_of(self, cell: int) -> tuple[Floats, Floats]:
        """Mean (p,) and covariance (p, p) of the patches in a cell."""
        own, unit = self._relative(cell)
        factor = linalg.inv(unit @ self._unit)
        return self.mean + linalg.solve_triangular(self._unit, own, lower=True), factor @ factor.T

    def save(self, path: str | Path) -> None:
        base.write(path, self.kind, self._arrays, clip=self.clip, **self.facts)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        arrays, facts = base.read(path, cls.kind)
        del facts["kind"]
        shape, spatial, grid = (tuple(arrays.pop(n).tolist()) for n in ("shape", "spatial", "grid"))
        return cls(cells.Grid(spatial, shape[1], grid), shape, **arrays, **facts)

    @property
    def _parts(self) -> tuple[Any, ...]:
        return (
            self.grid, self.shape, self.mean, self.covariance,
            self.fitted, self.means, self.units,
        )  # fmt: skip

    @property
    def _arrays(self) -> dict[str, Any]:
        return {
            "shape": np.array(self.shape),
            "spatial": np.array(self.grid.spatial),
            "grid": np.array(self.grid.cells),
            "mean": self.mean,
            "covariance": self.covariance,
            "fitted": self.fitted,
            "means": self.means,
            "units": self.units,
        }

    @cached_property
    def _unit(self) -> Floats:
        return cells.unit_of(self.covariance)

    @cached_property
    def _lower(self) -> NDArray[np.bool_]:
        return np.tri(len(self.mean), dtype=bool)

    def _relative(self, cell: int) -> tuple[Floats, Floats]:
        """A cell's mean and unit relative to the cohort's; without its own, the cohort's."""
        size = len(self.mean)
        n = int(np.searchsorted(self.fitted, cell))
        if n == len(self.fitted) or self.fitted[n] != cell:
            return np.zeros(size), np.eye(size)
        unit = np.zeros((size, size))
        unit[self._lower] = self.units[n]
        return self.means[n].astype(np.float64), unit

    @cached_property
    def _known(self) -> dict[Place, normal.Conditional]:
        """What was conditioned before; while there is room."""
        return {}

    def _alike(self, windows: Windows) -> Iterator[Alike]:
        """The windows whose patches are in one cell, and that sit at the same place in them."""
        corners = self._corners(windows)
        offsets, numbers = windows.starts - corners, self.grid.numbers(corners)
        keys, limits = np.column_stack([numbers, offsets]), (math.prod(self.grid.cells),)
        room = _KEPT // (8 * len(self.mean) * self.shape[0] * math.prod(windows.size))
        last = -1
        for members in by_key(keys, limits + self.shape[1:]):
            cell, *offset = keys[members[0]].tolist()
            place = cell, tuple(offset), windows.size
            conditional = self._known.get(place)
            if conditional is None:
                if cell != last:
                    own, unit = self._relative(cell)
                    last = cell
                conditional = self._condition(own, unit, *place[1:])
                if len(self._known) < room:
                    self._known[place] = conditional
            yield Alike(conditional, members, corners[members])

    def _condition(
        self, own: Floats, unit: Floats, offset: tuple[int, ...], size: tuple[int, ...]
    ) -> normal.Conditional:
        """The normal of a window at an offset in its patch, from its cell's mean and unit."""
        mean = self.mean + linalg.solve_triangular(self._unit, own, lower=True)
        window, rest = normal.split(self.shape, offset, size)
        # Rows of the inverse of the cell's covariance, (unit · cohort's)ᵀ · unit · cohort's.
        rows = (unit.T @ (unit @ self._unit[:, window])).T @ self._unit
        return normal.by_precision(mean, rows, window, rest)


def _times(lengths: Sequence[int]) -> str:
    return "×".join(map(str, lengths))
