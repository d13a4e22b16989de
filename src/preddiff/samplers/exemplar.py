"""Exemplar: real patches whose rim fits that of the window, blended into it.

Axis names: n window, e exemplar, w value in the window, r value in the rest of the patch.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows, box
from preddiff.samplers.base import Normals, ValidRange, Weights
from preddiff.samplers.files import Contents
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.anywhere import Anywhere
from preddiff.samplers.gaussian.axes import PatchIndices, RestIndices
from preddiff.samplers.gaussian.gathering import gathered
from preddiff.samplers.gaussian.patches import flattened, split_indices
from preddiff.samplers.gaussian.patchwise import grouped
from preddiff.samplers.gaussian.surrounded import blocks
from preddiff.samplers.pool import read_pool
from preddiff.samplers.spec import SpecContext
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Draws, Floats, Integers, Mask, Pixels

_CHOICES = 50
_AT_ONCE = 256  # windows that are compared with all exemplars at once
_SAME = 1e-9  # of the variance: mean squares that differ by less differ by rounding

Rims = Annotated[Floats, "n r"]
"""The rest of patches, without their windows."""


class Exemplar(Anywhere):
    """Draws a window from the patches of other inputs whose rim fits best, without replacement.

    What still differs at the rim is taken off smoothly, as in "seamless cloning" (Pérez, Gangnet &
    Blake, "Poisson image editing", SIGGRAPH 2003).

    Parameters
    ----------
    patches : (n, p), flattened in C order.
    shape : (channel, *patch) of a patch.
    choices : how many of them a window is drawn from.
    clip : True to clip draws to the range that is valid for the input.

    Raises
    ------
    SamplerError
        If there are fewer patches than choices, or they do not have this shape.
    """

    kind = "exemplar"
    pairs = False

    def __init__(
        self,
        patches: ArrayLike,
        shape: tuple[int, ...],
        *,
        choices: int = _CHOICES,
        clip: bool = True,
    ) -> None:
        self.patches, self.shape = np.asarray(patches, dtype=np.float32), tuple(shape)
        self.choices, self.clip = int(choices), clip
        self._last: tuple[RestIndices, Rims, Annotated[Floats, "e"]] | None = None
        count, *size = self.patches.shape
        if size != [int(np.prod(self.shape))] or not 1 <= self.choices <= count:
            raise SamplerError(
                f"patches of shape {self.patches.shape} and {choices} choices: expected at least "
                f"as many patches as choices, each of {self.shape}; add inputs"
            )

    @classmethod
    def _fitted(
        cls,
        inputs: Iterable[ArrayLike],
        patch: int,
        channels: str,
        mask: Mask | None,
        *,
        clip: bool,
    ) -> Self:
        if channels != "joint":
            raise SamplerError(f"channels={channels!r}: a patch has all of its own; expected joint")
        found = gathered(inputs, patch, channels, mask)
        return cls(found.patches, found.shape, clip=clip)

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        others = "scans" if len(self.shape) == 4 else "pictures"
        return f"what other {others} have where they look the same around it"

    @property
    def population(self) -> int:
        """Number of exemplars that a window has."""
        return self.choices

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the patches, of how many are chosen, and of whether draws are clipped."""
        return fingerprint(
            patches=self.patches, shape=self.shape, choices=self.choices, clip=self.clip
        )

    def paired(self) -> Self:
        """Return the sampler itself: draws without replacement have no pairs."""
        return self

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return the windows of some of the patches that fit best, no patch twice."""
        draws = np.empty((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)
        corners = self._corners(windows)
        offsets = windows.starts - corners
        for members in grouped(offsets, self.shape[1:]):
            offset = tuple(offsets[members[0]].tolist())
            window, rest = split_indices(self.shape, offset, windows.size)
            spread = harmonic(self.shape[1:], offset, windows.size)
            for first in range(0, len(members), _AT_ONCE):
                some = members[first : first + _AT_ONCE]
                patches = flattened(inputs, corners[some], self.shape)
                best = self._best(patches[:, rest], rest)
                for n, own, choices in zip(some, patches, best, strict=True):
                    random = window_generator(seed, int(windows.numbers[n]))
                    found = self.patches[random.permutation(choices)[:samples]]
                    off = (own - found)[:, rest].reshape(len(found), len(inputs), -1)
                    draw = found[:, window] + (off @ spread.T).reshape(len(found), -1)
                    draws[n] = draw.reshape(draws[n].shape)
        if self.is_clipped(valid) and valid is not None:
            np.clip(draws, *valid, out=draws)
        return draws

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with places of any shape drawn block by block."""

        def draw(copy: Pixels, board: Windows, stream: int) -> Draws:
            return self.draw(copy, board, 1, stream, valid)

        windows = blocks(self.shape[1:], hidden)
        return self._swept(inputs, hidden, windows, samples, seed, draw)

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield what each patch that fits gives: a normal without spread."""
        mean = np.empty((self.choices, len(weights), len(windows)))
        for first in range(0, len(windows), _AT_ONCE):
            some = np.arange(first, min(first + _AT_ONCE, len(windows)))
            part = windows.subset(some)
            boxes = [(slice(None), *box(start, part.size)) for start in part.starts]
            drawn = self.draw(inputs, part, self.choices, 0, None).astype(np.float64)
            change = drawn - np.stack([inputs[each] for each in boxes])[:, None]
            held = np.stack([weights[:, *each] for each in boxes])
            flat = change.reshape(len(some), self.choices, -1), held.reshape(*held.shape[:2], -1)
            mean[:, :, some] = np.einsum("ncw,nkw->ckn", *flat)
        for each in mean:
            yield each, np.broadcast_to(0.0, (len(weights), *each.shape))

    def _marginal(self, inside: PatchIndices, shape: tuple[int, ...]) -> Self:
        other = type(self)(self.patches[:, inside], shape, choices=self.choices, clip=self.clip)
        return self.passed_on(other)

    def _best(self, rims: Rims, rest: RestIndices) -> Annotated[Integers, "n e"]:
        """The numbers of the patches whose rims differ least, ascending."""
        others, own = self._rims(rest)
        square = (rims**2).sum(axis=1)[:, None] - 2 * rims @ others.T + own
        # Whole numbers, made different by their place: which of several equal patches is taken
        # must not follow from rounding, which depends on what else is computed at once.
        unit = _SAME * self._variance * len(rest) + np.finfo(np.float32).tiny
        keys = np.rint(square / unit).astype(np.int64) * len(others) + np.arange(len(others))
        return np.sort(np.argpartition(keys, self.choices - 1, axis=1)[:, : self.choices], axis=1)

    def _rims(self, rest: RestIndices) -> tuple[Rims, Annotated[Floats, "e"]]:
        """The rims of all patches, and their squares; kept until others are asked for."""
        last = self._last  # another thread may replace it
        if last is None or not np.array_equal(last[0], rest):
            found = self.patches[:, rest].astype(np.float64)
            self._last = last = rest, found, (found**2).sum(axis=1)
        return last[1:]

    @cached_property
    def _variance(self) -> float:
        return float(self.patches.var(dtype=np.float64))

    def contents(self) -> Contents:
        """Return the patches."""
        arrays = {"patches": self.patches, "shape": np.array(self.shape)}
        return Contents(self.kind, arrays, {"choices": self.choices, "clip": self.clip})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        patches, shape = contents.numbers("patches", 2), contents.lengths("shape")
        facts = contents.facts
        return cls(patches, shape, choices=int(facts["choices"]), clip=bool(facts["clip"]))


def harmonic(
    patch: tuple[int, ...], offset: tuple[int, ...], size: tuple[int, ...]
) -> Annotated[Floats, "w r"]:
    """Return the matrix that continues values around a window into it as smoothly as possible.

    What it makes is at each place the mean of its neighbours: a soap film.

    Parameters
    ----------
    patch : lengths of the patch.
    offset, size : of the window in it.
    """
    window, rest = split_indices((1, *patch), offset, size)
    numbers = np.arange(int(np.prod(patch))).reshape(patch)
    laplacian = np.zeros((numbers.size, numbers.size))
    for axis in range(len(patch)):
        lines = np.moveaxis(numbers, axis, 0)
        here, beside = lines[:-1].ravel(), lines[1:].ravel()
        laplacian[here, beside] = laplacian[beside, here] = -1
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    film = np.linalg.solve(laplacian[np.ix_(window, window)], laplacian[np.ix_(window, rest)])
    return np.asarray(-film, dtype=np.float64)


def from_spec(argument: str, context: SpecContext) -> Exemplar:
    """Return the sampler of exemplar:FOLDER or exemplar:FILE."""
    if not argument:
        raise SamplerError(
            "exemplar: takes patches of other inputs, of which none are given: expected "
            "exemplar:FOLDER"
        )
    if context.hidden:
        raise SamplerError(
            f"exemplar:{argument}: takes patches of pictures and volumes, not of a hidden node's "
            "values; take marginal:FOLDER or conditional:FOLDER"
        )
    if Path(argument).is_file():
        return Exemplar.load(argument).central(context.patch)
    pool = read_pool(argument, context)
    sampler = Exemplar.fit(pool.values, context.cube)
    sampler.scan_grid = pool.grid
    return sampler if isinstance(context.patch, int) else sampler.central(context.patch)
