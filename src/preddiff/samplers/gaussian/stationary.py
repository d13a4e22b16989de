"""StationaryGaussian: a conditional normal for large windows, whose covariance follows from lags.

Axis names: n patch, r value in the rest of the patch.
"""

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, linalg

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows, box
from preddiff.samplers.base import Normals, ValidRange, Weights
from preddiff.samplers.files import Contents, Fact, grid_of
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian import natural, power
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.extension import extended
from preddiff.samplers.gaussian.field import Field
from preddiff.samplers.gaussian.patches import along_axes, flattened, times
from preddiff.samplers.gaussian.patchwise import grouped
from preddiff.samplers.gaussian.surrounded import Surrounded, antithetic
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Corners, Draws, Floats, Integers, Mask, Pixels

_MOST_VISIBLE = 6144  # values of a patch around its window: a factor of 300 MB
_MAX_BYTES_HELD = 1 << 28  # of factors that are kept
_DRAWS_AT_ONCE = 16  # each of which takes a torus
_MOST_IN_A_PATCH = 1200  # values in the patches around blocks, e.g. 3×20×20


class _Rest(NamedTuple):
    """The visible part of a patch around a window, for one offset of the window.

    Attributes
    ----------
    window : the window's part of an array over a patch.
    rest : (r,), where the visible values stand in the flattened patch.
    on_torus : (r,), where they stand in a flattened array over the torus.
    factor : of the covariance of the visible values, as `linalg.cho_factor` returns it.
    """

    window: tuple[slice, ...]
    rest: Integers
    on_torus: Integers
    factor: tuple[Floats, bool]


class StationaryGaussian(Surrounded):
    """Draws the window from a normal that is the same everywhere, given the rest of its patch.

    Its covariance is that of a stationary field: of channel a here with channel b a lag further on.
    So nothing has to be held that has an entry for each pair of values in a window: patches can be
    much larger than those of a `ConditionalGaussian`.

    Parameters
    ----------
    mean : (channel,).
    autocovariance : (channel, channel, *torus), covariance of channel a here and channel b a lag
        further on, of a field on a torus; lag 0 comes first, negative lags last.
    patch : length of a patch, along all axes or along each; a torus is at least twice as long.
    clip : True to clip draws to the range that is valid for the input.
    pairs : True for draws in antithetic pairs.
    origin : fingerprint of what this was computed from; None for that of the numbers themselves.
    facts : what is worth keeping about its making.

    Raises
    ------
    SamplerError
        If the shapes do not agree, or the autocovariance is not positive definite.
    """

    kind = "stationary"

    # Conditioning by kriging (Journel, Economic Geology 69, 1974): let x be a patch and z a draw of
    # it, w their values in the window and r the others. Then
    #
    #     z_w + Σ_wr · Σ_rr⁻¹ · (x_r - z_r)
    #
    # is the conditional mean of the window given x_r, plus what z_r does not tell of z_w, whose
    # covariance is Σ_ww - Σ_wr · Σ_rr⁻¹ · Σ_rw: exactly the conditional normal. Only Σ_rr is
    # factored, which has one row for each value of the thin rim around the window; Σ_wr, and z, are
    # had by Fourier transforms.

    def __init__(
        self,
        mean: ArrayLike,
        autocovariance: ArrayLike,
        patch: int | tuple[int, ...],
        *,
        clip: bool = True,
        pairs: bool = False,
        origin: str | None = None,
        **facts: Fact,
    ) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        values = np.asarray(autocovariance, dtype=np.float64)
        channels, torus = self.mean.shape, values.shape[2:]
        if len(channels) != 1 or values.shape[:2] != channels * 2 or not torus:
            raise SamplerError(
                f"mean of shape {channels} and autocovariance of shape {values.shape}: expected "
                "(channel,) and (channel, channel, *torus)"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(values).all()):
            raise SamplerError("mean or autocovariance has values that are NaN or infinite")
        lengths = along_axes(patch, len(torus))
        if any(k < 1 or n < 2 * k for k, n in zip(lengths, torus, strict=True)):
            raise SamplerError(
                f"patch={times(patch)}: expected 1 to {min(torus) // 2}, half of the torus of "
                f"{'×'.join(map(str, torus))}; choose a smaller window or margin, or fit it with a "
                "larger patch"
            )
        self.field = Field(values)
        self.shape = (*channels, *map(int, lengths))
        self.clip, self.pairs, self.origin, self.facts = clip, pairs, origin, facts
        self._rests: dict[tuple[tuple[int, ...], tuple[int, ...]], _Rest] = {}

    @classmethod
    def natural(cls, patch: int, *, colours: int = 3, clip: bool = True) -> Self:
        """Return the embedded statistics of natural pictures, extended to larger patches.

        docs/samplers.md says how, and how well they agree with pictures.

        Parameters
        ----------
        patch, clip : as of the class.
        colours : 3 for red, green, blue; 1 for luminance.

        Raises
        ------
        SamplerError
            If there are no statistics of so many colours.
        """
        torus = int(fft.next_fast_len(2 * max(patch, natural.REACH), real=True))
        mean, autocovariance = natural.statistics(colours)
        return cls(
            mean,
            extended(autocovariance, torus),
            patch,
            clip=clip,
            # Rounding in the extension differs with the machine.
            origin=fingerprint(mean=mean, autocovariance=autocovariance, torus=torus),
            source="natural pictures (embedded, extended)",
        )

    @classmethod
    def fit(cls, inputs: Iterable[ArrayLike], patch: int, *, clip: bool = True) -> Self:
        """Estimate the field's spectrum from inputs, one at a time.

        Parameters
        ----------
        inputs : arrays (channel, *spatial) in input space, in any number of dimensions, at least
            2 · `patch` long each way; of a `VolumeFolder`, the sampler keeps the grid.
        patch : length of the patch: window + 2 · margin.
        clip : as of the class.

        Raises
        ------
        SamplerError
            If there are too few inputs, or some that are too small.
        """
        found = power.estimate(inputs, 2 * patch)
        fitted = cls(
            found.mean,
            found.autocovariance,
            patch,
            clip=clip,
            pairs=False,
            origin=None,
            **found.facts,
        )
        fitted.scan_grid = grid_of(inputs)
        return fitted

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""
        return self._with(self.shape[1:], pairs=True)

    def central(self, patch: int | tuple[int, ...]) -> Self:
        """Return the same field with smaller patches.

        Raises
        ------
        SamplerError
            If it was fitted for smaller ones.
        """
        return self._with(patch, pairs=self.pairs)

    @property
    def is_located(self) -> bool:
        """False: one normal serves wherever voxels are as large and lead the same way."""
        return False

    @property
    def sha256(self) -> str:
        """Fingerprint of the field, and of whether draws are clipped."""
        made_of = (
            {"mean": self.mean, "autocovariance": self.field.autocovariance}
            if self.origin is None
            else {"origin": self.origin}
        )
        return fingerprint(kind=self.kind, shape=self.shape, clip=self.clip, **made_of)

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
        own = range(self.shape[0])
        variance = self.field.autocovariance[own, own].reshape(self.shape[0], -1)[:, 0]
        return {
            "kind": "conditional normal, stationary",
            "patch": "×".join(map(str, self.shape[1:])),
            "channels": str(self.shape[0]),
            **{name: str(value) for name, value in self.facts.items()},
            "clipped": "yes" if self.clip else "no",
            "mean per channel": ", ".join(f"{value:.4g}" for value in self.mean),
            "deviation per channel": ", ".join(f"{value:.4g}" for value in np.sqrt(variance)),
            "sha256": self.sha256,
        }

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if a patch does not fit, or has too many values around a window."""
        super().check(inputs, windows, valid)
        visible = self.shape[0] * (math.prod(self.shape[1:]) - math.prod(windows.size))
        if visible > _MOST_VISIBLE:
            raise SamplerError(
                f"a patch of {max(self.shape[1:])} has {visible:,} values around a window of "
                f"{max(windows.size)}: expected at most {_MOST_VISIBLE:,}; choose a smaller margin"
            )

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return draws from the conditional normal of each window."""
        draws = np.empty((len(windows), samples, self.shape[0], *windows.size), dtype=np.float32)
        numbers = windows.numbers
        for rest, members, corners in self._groups(windows):
            each = max(1, _DRAWS_AT_ONCE // samples)
            for first in range(0, len(members), each):
                some = members[first : first + each]
                patches = flattened(inputs, corners[first : first + each], self.shape)
                noise = np.stack([self._noise(seed, n, samples) for n in numbers[some]])
                missed = (patches - self._means)[:, None] - noise.reshape(*noise.shape[:2], -1)
                kriged = self._kriged(rest, missed.reshape(-1, missed.shape[-1]))
                drawn = noise[:, :, *rest.window] + kriged.reshape(len(some), *draws.shape[1:])
                draws[some] = drawn + self.mean.reshape(-1, *(1,) * len(windows.size))
        if self.clip and valid is not None:
            np.clip(draws, *valid, out=draws)
        return draws

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with places of any shape drawn block by block, given what is visible.

        A block is small, and so is the patch around it: its normal is held as matrices.
        """
        return self._blockwise.hide(inputs, hidden, samples, seed, valid)

    @cached_property
    def _blockwise(self) -> ConditionalGaussian:
        """The same field's normal over smaller patches."""
        channels, *lengths = self.shape
        most = int((_MOST_IN_A_PATCH / channels) ** (1 / len(lengths)))
        shape = (channels, *(min(n, max(most, 2)) for n in lengths))
        covariance = self.field.covariance(np.argwhere(np.ones(shape, dtype=bool)))
        means = np.repeat(self.mean, math.prod(shape[1:]))
        return ConditionalGaussian(means, covariance, shape, clip=self.clip, pairs=self.pairs)

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield one normal per window, of what weighted sums change by given the patch's rest."""
        # As in `Patchwise.project`; v·Σ·v of the conditional covariance is v·Σ_ww·v less
        # (Σ_rw·v)·Σ_rr⁻¹·(Σ_rw·v).
        sums = len(weights)
        mean = np.zeros((sums, len(windows)))
        covariance = np.zeros((sums, sums, len(windows)))
        for rest, members, corners in self._groups(windows):
            for member, corner in zip(members, corners, strict=True):
                v = weights[:, :, *box(windows.starts[member], windows.size)].astype(np.float64)
                on_torus = np.zeros((sums, self.shape[0], *self.field.torus))
                on_torus[:, *rest.window] = v
                product = self.field.times(on_torus)
                across = product.reshape(sums, -1)[:, rest.on_torus]
                solved = linalg.cho_solve(rest.factor, across.T)
                patch = flattened(inputs, corner[None], self.shape)[0] - self._means
                own = patch.reshape(self.shape)[rest.window]
                mean[:, member] = patch[rest.rest] @ solved - np.tensordot(v, own, own.ndim)
                within = np.tensordot(v, product[:, *rest.window], (range(1, v.ndim),) * 2)
                covariance[:, :, member] = within - across @ solved
        yield mean, covariance

    def contents(self) -> Contents:
        """Return the field, and the facts of its making."""
        arrays = {
            "mean": self.mean,
            "autocovariance": self.field.autocovariance,
            "patch": np.array(self.shape[1:2] if self._is_cube else self.shape[1:]),
        }
        facts = {"clip": self.clip, "origin": self.origin or "", **self.facts}
        return Contents(self.kind, arrays, facts)

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts = dict(contents.facts)
        clip, origin = bool(facts.pop("clip")), str(facts.pop("origin")) or None
        lengths = contents.lengths("patch")
        patch = lengths[0] if len(lengths) == 1 else lengths
        values = contents.arrays["autocovariance"]
        return cls(
            contents.numbers("mean", 1),
            contents.numbers("autocovariance", values.ndim),
            patch,
            clip=clip,
            pairs=False,
            origin=origin,
            **facts,
        )

    @property
    def _is_cube(self) -> bool:
        return len(set(self.shape[1:])) == 1

    def _with(self, patch: int | tuple[int, ...], *, pairs: bool) -> Self:
        other = type(self)(
            self.mean,
            self.field.autocovariance,
            patch,
            clip=self.clip,
            pairs=pairs,
            origin=self.origin,
            **self.facts,
        )
        return self.passed_on(other)

    @cached_property
    def _means(self) -> Annotated[Floats, "p"]:
        """The mean of every value in a flattened patch."""
        return np.repeat(self.mean, math.prod(self.shape[1:]))

    def _noise(self, seed: int, number: int, samples: int) -> Annotated[Floats, "draw *patch"]:
        """Draws of whole patches without mean, in pairs if wanted."""
        wanted = (samples + 1) // 2 if self.pairs else samples
        fields = self.field.draw(window_generator(seed, number), wanted)
        patches = fields[:, :, *(slice(n) for n in self.shape[1:])].astype(np.float64)
        return antithetic(patches, samples) if self.pairs else patches

    def _kriged(self, rest: _Rest, patches: Annotated[Floats, "n p"]) -> Annotated[Floats, "n *w"]:
        """Return Σ_wr · Σ_rr⁻¹ · r for the rest r of patches without mean."""
        on_torus = np.zeros((len(patches), self.shape[0], *self.field.torus))
        solved = linalg.cho_solve(rest.factor, patches[:, rest.rest].T)
        on_torus.reshape(len(patches), -1)[:, rest.on_torus] = solved.T
        return self.field.times(on_torus)[:, *rest.window]

    def _groups(self, windows: Windows) -> Iterator[tuple[_Rest, Integers, Corners]]:
        """The windows that sit at the same offset in their patch."""
        corners = self._corners(windows)
        offsets = windows.starts - corners
        for members in grouped(offsets, self.shape[1:]):
            offset = tuple(offsets[members[0]].tolist())
            yield self._rest(windows.size, offset), members, corners[members]

    def _rest(self, size: tuple[int, ...], offset: tuple[int, ...]) -> _Rest:
        key = (size, offset)
        if key not in self._rests:
            # At the border there are many offsets, of few windows each.
            held = sum(each.factor[0].nbytes for each in self._rests.values())
            if held > _MAX_BYTES_HELD:
                self._rests.pop(next(iter(self._rests)))
            inside = box(np.array(offset), size)
            visible = np.ones(self.shape, dtype=bool)
            visible[:, *inside] = False
            positions = np.argwhere(visible)
            self._rests[key] = _Rest(
                (slice(None), *inside),
                np.flatnonzero(visible),
                np.asarray(
                    np.ravel_multi_index(tuple(positions.T), (self.shape[0], *self.field.torus))
                ),
                linalg.cho_factor(self.field.covariance(positions), lower=True),
            )
        return self._rests[key]
