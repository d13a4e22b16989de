"""Marginal: what other inputs have at the same position (equation 2 of the paper)."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.media.grid import Grid
from preddiff.method.windows import Windows, box
from preddiff.samplers import projection
from preddiff.samplers.base import Normals, ValidRange, Weights, replaced
from preddiff.samplers.files import Contents, Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.pool import check_numbers, names_of, read_pool
from preddiff.samplers.spec import SpecContext
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Draws, Pixels


class Marginal(Stored):
    """Draws the window from other inputs, at the same position and without replacement.

    With as many draws as the pool has members the expectation is exact.

    Parameters
    ----------
    pool : (n, channel, *spatial), in input space and of the input's shape; or a table (n, feature),
        for rows of it.
    scan_grid : of the scans in the pool; None of pictures and arrays, which have none.
    origin : fingerprint of what the pool was computed from, if it was: of a hidden node's values
        the last bits differ with the machine and the number of threads, of the pictures they do
        not.

    Attributes
    ----------
    feature_names : of a table's columns; None of arrays.

    Raises
    ------
    SamplerError
        If the pool is empty, or has values that are not finite.
    """

    kind = "marginal"

    def __init__(
        self, pool: ArrayLike, *, scan_grid: Grid | None = None, origin: str | None = None
    ) -> None:
        self.scan_grid = scan_grid
        self.origin = origin
        self.feature_names = names_of(pool)
        check_numbers("pool", pool)
        self.pool = np.asarray(pool, dtype=np.float32)
        if self.pool.ndim == 2:
            self.pool = self.pool[:, None]
        if self.pool.ndim < 3 or len(self.pool) == 0:
            raise SamplerError(
                f"pool of shape {self.pool.shape}: expected (n, channel, *spatial) with n ≥ 1"
            )
        if not np.isfinite(self.pool).all():
            raise SamplerError("the pool has values that are NaN or infinite; remove those inputs")

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        others = {3: "rows", 5: "scans"}.get(self.pool.ndim, "pictures")
        return f"what other {others} have at the same place"

    @property
    def of_volumes(self) -> bool:
        """True if the pool is of volumes."""
        return self.pool.ndim == 5

    @property
    def population(self) -> int:
        """Number of inputs in the pool."""
        return len(self.pool)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the pool, or of what it was computed from."""
        return fingerprint(pool=self.pool) if self.origin is None else self.origin

    def check(
        self,
        inputs: Pixels,
        windows: Windows,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> None:
        """Raise a SamplerError if the input does not have the shape of the pool's."""
        if self.pool.shape[1:] != inputs.shape:
            raise SamplerError(
                f"the pool's inputs have shape {self.pool.shape[1:]}, this one {inputs.shape}: "
                "prepare the pool as the input was (model.prepare)"
            )

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return what some members of the pool have in each window, no member twice."""
        draws = np.empty((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)
        for n, (number, start) in enumerate(zip(windows.numbers, windows.starts, strict=True)):
            # The first S of a permutation of all n members, and not S members at random: draw s
            # is then the same whatever S is, and no member comes twice. A mean of S of n values
            # without replacement has the variance σ²/S · (n - S)/(n - 1), where σ² is that of the
            # whole pool (the finite-population correction; Cochran, "Sampling
            # Techniques", 1977, chapter 2). At S = n it is 0: the
            # mean is equation 2's sum itself. With replacement it would be σ²/n even then.
            # `method/evidence.py` estimates it from the draws.
            members = window_generator(seed, number).permutation(len(self.pool))[:samples]
            draws[n] = self.pool[:, :, *box(start, windows.size)][members]
        return draws

    def fill(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Batch:
        """Return the input with what one member of the pool has in all of these windows."""
        members = np.random.default_rng(seed).permutation(len(self.pool))[:samples]
        return replaced(inputs, windows, self.pool[members], samples)

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield what each member of the pool gives: a normal without spread."""
        for member in self.pool:
            change = np.subtract(member, inputs, dtype=np.float64)
            yield projection.of_certain_draw(weights, change, windows)

    def contents(self) -> Contents:
        """Return the pool."""
        return Contents(self.kind, {"pool": self.pool}, {"origin": self.origin or ""})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        pool = contents.arrays["pool"]
        values = np.asarray(contents.numbers("pool", pool.ndim), dtype=np.float32)
        return cls(values, origin=str(contents.facts.get("origin", "")) or None)


def from_spec(argument: str, context: SpecContext) -> Marginal:
    """Return the sampler of marginal:FOLDER or marginal:FILE."""
    if not argument:
        raise SamplerError(
            "marginal: draws from other inputs, of which none are given: expected marginal:FOLDER"
        )
    if Path(argument).is_file():
        return Marginal.load(argument)
    pool = read_pool(argument, context)
    return Marginal(pool.values, scan_grid=pool.grid, origin=pool.origin)
