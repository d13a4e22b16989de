"""Turned: a sampler of volumes for scans whose axes are stored in another order or direction."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from preddiff.errors import InputWarning, SamplerError
from preddiff.media.grid import Grid, Turns, mismatch
from preddiff.method.windows import Windows
from preddiff.samplers.base import LikelyNormals, Normals, Sampler, ValidRange, Weights
from preddiff.samplers.files import Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.types import Batch, Draws, Mask, Pixels

_CURE = "resample the scan, or fit a sampler on scans of its grid"


def placed(sampler: Sampler, grid: Grid | None) -> Sampler:
    """Return the sampler as it serves a scan on a grid: itself, or with its axes turned.

    Parameters
    ----------
    grid : the scan's; None of anything that is no scan in a file, for which nothing is checked.

    Raises
    ------
    SamplerError
        If it is of volumes whose voxels lie elsewhere, or one of the two does not say which side
        is left.
    """
    if grid is None or not (isinstance(sampler, Stored) and sampler.of_volumes):
        return sampler
    own = sampler.scan_grid
    if own is None:
        warnings.warn(
            InputWarning(
                f"the {sampler.kind} sampler does not say on which grid it was made, so it cannot "
                "be checked that left is left in it: fit it anew, or give it a grid (scan_grid)"
            ),
            stacklevel=2,
        )
        return sampler
    turns = _turns(own, grid, located=sampler.is_located)
    if turns is None:
        raise SamplerError(mismatch("a sampler", own, "the scan's", grid, _CURE))
    return sampler if turns.are_none else Turned(sampler, turns)


def _turns(own: Grid, grid: Grid, *, located: bool) -> Turns | None:
    """The turns from a sampler's arrays to a scan's; None where the two do not belong together."""
    if located:
        return own.turns_to(grid)
    # What is the same everywhere needs only the same voxels in the same directions.
    if own.knows_sides != grid.knows_sides:
        return None
    return Turns.of(np.linalg.inv(own.affine) @ grid.affine)


class Turned(Sampler):
    """Draws for a scan what a sampler draws for the same scan stored along other axes.

    The sampler gets the scan and its windows in its own order, and its draws are turned back:
    nothing is interpolated, and the sampler knows nothing of it.

    Parameters
    ----------
    sampler : of volumes; it has `project`.
    turns : from its arrays to those of the scan.
    """

    def __init__(self, sampler: Stored, turns: Turns) -> None:
        self.sampler = sampler
        self.turns = turns

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        return self.sampler.stands_in

    @property
    def reference(self) -> str:
        """Group that the sampler's scans are of."""
        return self.sampler.reference

    @property
    def population(self) -> int | None:
        """Number of different draws that a window has."""
        return self.sampler.population

    @property
    def group(self) -> int:
        """Number of consecutive draws that depend on each other."""
        return self.sampler.group

    def paired(self) -> "Turned":
        """Return this sampler with antithetic pairs of draws."""
        paired = self.sampler.paired()
        return Turned(paired, self.turns) if isinstance(paired, Stored) else self

    @property
    def sha256(self) -> str:
        """Fingerprint of the sampler and of the turns."""
        return fingerprint(
            sampler=self.sampler.sha256, axes=self.turns.axes, reversed=self.turns.reversed
        )

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler itself."""
        return self.sampler.summary()

    def save(self, path: str | Path) -> None:
        """Write the sampler itself, on its own grid."""
        self.sampler.save(path)

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if the sampler cannot draw for this input."""
        self.sampler.check(self._before(inputs), self._windows(windows), valid)

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return the sampler's draws, turned as the scan is."""
        draws = self.sampler.draw(
            self._before(inputs), self._windows(windows), samples, seed, valid
        )
        return np.ascontiguousarray(self.turns.applied(draws))

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return what the sampler hides several windows behind, turned as the scan is."""
        filled = self.sampler.fill(
            self._before(inputs), self._windows(windows), samples, seed, valid
        )
        return np.ascontiguousarray(self.turns.applied(filled))

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return what the sampler hides places behind, turned as the scan is."""
        before = np.ascontiguousarray(self.turns.undone(hidden))
        filled = self.sampler.hide(self._before(inputs), before, samples, seed, valid)
        return np.ascontiguousarray(self.turns.applied(filled))

    def is_clipped(self, valid: ValidRange | None) -> bool:
        """Return whether draws are clipped to the valid range."""
        return self.sampler.is_clipped(valid)

    def project(
        self, weights: Weights, inputs: Pixels, windows: Windows
    ) -> Iterator[Normals | LikelyNormals]:
        """Yield the sampler's normals: sums over a window are the same in any order."""
        before = np.ascontiguousarray(self.turns.undone(weights))
        yield from self.sampler.project(before, self._before(inputs), self._windows(windows))  # type: ignore[attr-defined]

    def _before(self, inputs: Pixels) -> Pixels:
        return np.ascontiguousarray(self.turns.undone(inputs))

    def _windows(self, windows: Windows) -> Windows:
        """The same windows in the sampler's own order."""
        shape, size, starts = [0, 0, 0], [0, 0, 0], np.empty_like(windows.starts)
        for axis, (own, back) in enumerate(zip(self.turns.axes, self.turns.reversed, strict=True)):
            shape[own], size[own] = windows.shape[axis], windows.size[axis]
            start = windows.starts[:, axis]
            starts[:, own] = shape[own] - size[own] - start if back else start
        return Windows(tuple(shape), tuple(size), starts)
