"""Located: a normal of its own for every cell of a grid over the volume (section 4.2)."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from preddiff.errors import SamplerError
from preddiff.media.masks import inside as inside_of
from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals, ValidRange, Weights
from preddiff.samplers.files import Contents, Fact, grid_of
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian import patch_statistics
from preddiff.samplers.gaussian.axes import CellNumbers, PatchCovariance, PatchMean
from preddiff.samplers.gaussian.cell_grid import CellGrid
from preddiff.samplers.gaussian.cell_statistics import cell_statistics
from preddiff.samplers.gaussian.conditioning import ConditionalNormal, by_precision
from preddiff.samplers.gaussian.covariance import check_normal, whitening
from preddiff.samplers.gaussian.patches import along_axes, split_indices, times
from preddiff.samplers.gaussian.patchwise import Patchwise, WindowGroup, grouped
from preddiff.samplers.gaussian.threads import for_each_in_threads
from preddiff.types import Floats, Integers, Pixels

CellOffset = tuple[int, tuple[int, ...], tuple[int, ...]]
"""A cell, the window's offset in its patch, and the window's size."""

CellArray = Annotated[NDArray[np.float32], "cell _value"]

_STATISTICS_BYTES = 1 << 30  # that are gathered in one pass over the volumes
_MAX_CONDITIONAL_BYTES = 1 << 29  # of conditional normals kept for the next input, about
_PARTS = 16  # that an input's windows are shared out in


class Located(Patchwise):
    """Draws the window from a normal over the patch that depends on where the patch is.

    Made by `Located.fit` or `Located.load`. For volumes that lie on one grid, as scans do that were
    brought to a standard space: a patch's cell follows from where it begins.

    Parameters
    ----------
    grid : the cells.
    shape : (channel, *patch) of a patch.
    mean, covariance : the whole cohort's, of patches flattened in C order.
    fitted : numbers of the cells that have statistics of their own, ascending; others have the
        cohort's.
    means : (cell, p), relative to the cohort's: see `cell_statistics.py`.
    units : (cell, p · (p + 1) / 2), lower triangles of the whitenings of the covariances, relative
        to the cohort's.
    clip, pairs, facts : as in ConditionalGaussian.
    """

    kind = "located"

    def __init__(
        self,
        grid: CellGrid,
        shape: tuple[int, ...],
        mean: PatchMean,
        covariance: PatchCovariance,
        fitted: CellNumbers,
        means: CellArray,
        units: CellArray,
        *,
        clip: bool = True,
        pairs: bool = False,
        **facts: Fact,
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
        # While there is room: kept for the next input of the same cohort.
        self._conditionals: dict[CellOffset, ConditionalNormal] = {}
        check_normal(mean, covariance, shape)

    @classmethod
    def fit(
        cls,
        volumes: Iterable[ArrayLike],
        patch: int = 7,
        grid: Sequence[int] = (20, 20, 20),
        mask: ArrayLike | None = None,
        *,
        clip: bool = True,
        memory: int = _STATISTICS_BYTES,
    ) -> Self:
        """Estimate the cells' normals from a cohort.

        Parameters
        ----------
        volumes : arrays (channel, *spatial) of one shape. They are gone through several times, so
            a generator will not do: a list, or an object that reads them anew each time. Of a
            `VolumeFolder`, the sampler keeps the grid.
        patch : length of the patch (the paper's l).
        grid : cells in each direction.
        mask : (*spatial), true where the analysis is going to look: only cells that it reaches are
            fitted, and the cohort's own normal is of patches that are centred in it.
        clip : as of the class.
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
        inside = None if mask is None else inside_of(np.asarray(mask))
        cohort = patch_statistics.estimate(volumes, patch, "joint", inside)
        spatial = np.shape(next(iter(volumes)))[1:]
        if len(grid) != len(spatial) or min(grid) < 1:
            raise SamplerError(
                f"grid={tuple(grid)}: expected {len(spatial)} numbers of cells of at least 1"
            )
        cells = CellGrid.over(spatial, patch, tuple(grid))
        fitted, size = cells.touching(inside), len(cohort.mean)
        lower = np.tri(size, dtype=bool)
        means = np.empty((len(fitted), size), dtype=np.float32)
        units = np.empty((len(fitted), lower.sum()), dtype=np.float32)
        several = max(1, memory // (8 * size * (size + 1)))
        for first in range(0, len(fitted), several):
            part = slice(first, first + several)
            means[part], whitenings = cell_statistics(
                volumes, cells, fitted[part], cohort.mean, cohort.covariance
            )
            for n, unit in enumerate(whitenings, start=first):
                units[n] = unit[lower]
        located = cls(
            cells, cohort.shape, cohort.mean, cohort.covariance, fitted, means, units,
            clip=clip, pairs=False, **cohort.facts,
        )  # fmt: skip
        located.scan_grid = grid_of(volumes)
        return located

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""
        paired = type(self)(
            self.grid, self.shape, self.mean, self.covariance, self.fitted, self.means, self.units,
            clip=self.clip, pairs=True, **self.facts,
        )  # fmt: skip
        return self.passed_on(paired)

    def central(self, patch: int | tuple[int, ...]) -> Self:
        """Return the sampler itself.

        Raises
        ------
        SamplerError
            If its patches are not `patch` long: which cell a patch is in depends on its length.
        """
        own = self.shape[1:]
        if along_axes(patch, len(own)) != own:
            cure = f", or fit it with --patch {patch}" if isinstance(patch, int) else ""
            raise SamplerError(
                f"window + 2·margin needs patches of {times(patch)}, the sampler was fitted on "
                f"patches of {times(own)}: choose a window or margin that fits{cure}"
            )
        return self

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the cohort's and all cells' normals, and of whether draws are clipped."""
        arrays = {name: value for name, value in self._arrays.items() if name != "shape"}
        return fingerprint(**arrays, shape=self.shape, clip=self.clip)

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
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

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if the input does not lie on the grid, or a patch does not fit."""
        super().check(inputs, windows, valid)
        if windows.shape != self.grid.spatial:
            raise SamplerError(
                f"the sampler was fitted on volumes of {times(self.grid.spatial)}, the input has "
                f"{times(windows.shape)}: expected the same grid; resample the input, or fit anew"
            )

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield what any patchwise sampler does, with some of the cells in each thread."""
        mean = np.empty((len(weights), len(windows)))
        covariance = np.empty((len(weights), *mean.shape))
        # Sorted by cell, so that a cell's windows, and its conditional normals, are in one part.
        by_cell = np.argsort(self.grid.numbers(self._corners(windows)), kind="stable")

        def put(part: Integers) -> None:
            some = windows.subset(part)
            for normals in super(Located, self).project(weights, inputs, some):
                mean[:, part], covariance[:, :, part] = normals

        for_each_in_threads(put, np.array_split(by_cell, min(_PARTS, len(windows))))
        yield mean, covariance

    def normal_of(self, cell: int) -> tuple[PatchMean, PatchCovariance]:
        """Return mean (p,) and covariance (p, p) of the patches in a cell."""
        own, unit = self._relative(cell)
        factor = linalg.inv(unit @ self._whitening)
        return self._mean_of(own), factor @ factor.T

    def contents(self) -> Contents:
        """Return the cells, their normals, and the facts of their making."""
        return Contents(self.kind, self._arrays, {"clip": self.clip, **self.facts})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts = dict(contents.facts)
        shape, spatial, cells = map(contents.lengths, ("shape", "spatial", "grid"))
        fitted = np.asarray(contents.numbers("fitted", 1), dtype=np.int64)
        means, units = contents.numbers("means", 2), contents.numbers("units", 2)
        size = math.prod(shape)
        agree = (
            len(shape) == len(spatial) + 1 == len(cells) + 1
            and all(1 <= c <= n - shape[1] + 1 for c, n in zip(cells, spatial, strict=True))
            and len(set(shape[1:])) == 1
            and means.shape == (len(fitted), size)
            and units.shape == (len(fitted), size * (size + 1) // 2)
            and (np.diff(fitted, prepend=-1) > 0).all()
            and (fitted < math.prod(cells)).all()
        )
        if not agree:
            raise SamplerError("the shapes of its arrays do not agree; fit it anew")
        return cls(
            CellGrid(spatial, shape[1], cells),
            shape,
            np.asarray(contents.numbers("mean", 1), dtype=np.float64),
            np.asarray(contents.numbers("covariance", 2), dtype=np.float64),
            fitted,
            np.asarray(means, dtype=np.float32),
            np.asarray(units, dtype=np.float32),
            clip=bool(facts.pop("clip")),
            pairs=False,
            **facts,
        )

    @property
    def _arrays(self) -> Mapping[str, NDArray[np.generic]]:
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
    def _whitening(self) -> PatchCovariance:
        """L⁻¹, where L · Lᵀ is the cohort's covariance."""
        return whitening(self.covariance)

    @cached_property
    def _lower(self) -> Annotated[NDArray[np.bool_], "p p"]:
        return np.tri(len(self.mean), dtype=bool)

    def _relative(self, cell: int) -> tuple[PatchMean, Annotated[Floats, "p p"]]:
        """A cell's mean and whitening relative to the cohort's; without its own, the cohort's."""
        size = len(self.mean)
        n = int(np.searchsorted(self.fitted, cell))
        if n == len(self.fitted) or self.fitted[n] != cell:
            return np.zeros(size), np.eye(size)
        unit = np.zeros((size, size))
        unit[self._lower] = self.units[n]
        return self.means[n].astype(np.float64), unit

    def _mean_of(self, own: PatchMean) -> PatchMean:
        """μ + L · own: a relative mean in the scan's units."""
        return np.asarray(self.mean + linalg.solve_triangular(self._whitening, own, lower=True))

    def _groups(self, windows: Windows) -> Iterator[WindowGroup]:
        """The windows whose patches are in one cell, and that sit at the same offset in them."""
        corners = self._corners(windows)
        offsets, numbers = windows.starts - corners, self.grid.numbers(corners)
        keys, limits = np.column_stack([numbers, offsets]), (math.prod(self.grid.cells),)
        # As many conditional normals are kept as fit into the memory set aside: each is about one
        # matrix (w, p), its gain. The first ones stay; replacing them by later ones would keep
        # none at all for an input that is gone through in the same order.
        room = _MAX_CONDITIONAL_BYTES // (
            8 * len(self.mean) * self.shape[0] * math.prod(windows.size)
        )
        last = -1
        for members in grouped(keys, limits + self.shape[1:]):
            cell, *offset = keys[members[0]].tolist()
            key = cell, tuple(offset), windows.size
            conditional = self._conditionals.get(key)
            if conditional is None:
                if cell != last:  # groups come cell by cell
                    own, unit = self._relative(cell)
                    last = cell
                conditional = self._condition(own, unit, *key[1:])
                if len(self._conditionals) < room:
                    self._conditionals[key] = conditional
            yield WindowGroup(conditional, members, corners[members])

    def _condition(
        self,
        own: PatchMean,
        unit: Annotated[Floats, "p p"],
        offset: tuple[int, ...],
        size: tuple[int, ...],
    ) -> ConditionalNormal:
        """The normal of a window at an offset in its patch, from its cell's mean and whitening."""
        window, rest = split_indices(self.shape, offset, size)
        # The cell's precision is (U·W)ᵀ·(U·W), U its whitening and W the cohort's. Only the rows of
        # the window are wanted: (Uᵀ·U·W_w)ᵀ·W, three products with w columns or rows each, and
        # never the whole matrix.
        rows = (unit.T @ (unit @ self._whitening[:, window])).T @ self._whitening
        return by_precision(self._mean_of(own), rows, window, rest)
