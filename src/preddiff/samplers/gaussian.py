"""ConditionalGaussian: a normal over the patch, given the pixels around the window.

Section 3.1 and figure 2 of the paper.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.samplers import base, fitting, natural, normal
from preddiff.windows import Windows


class ConditionalGaussian:
    """Draws the window from a multivariate normal over the patch, given the rest of the patch.

    The patch lies centred around the window; at the border of the input it is shifted so that it
    stays inside, and the window sits off-centre in it.

    Parameters
    ----------
    mean : (channel · patch...,), of patches flattened in C order.
    covariance : of the same patches, symmetric and positive semi-definite.
    shape : (channel, *patch) of a patch, e.g. (3, 14, 14).
    clip : whether draws are clipped to the range that is valid for the input.
    pairs : whether draws come in antithetic pairs, z and -z around the conditional mean: their
        mean varies less than that of independent ones.
    facts : what is worth keeping about its making (source, number of patches, ...).

    Raises
    ------
    SamplerError
        If the shapes do not agree, a value is not finite, or the covariance is not one.
    """

    population = None

    def __init__(
        self,
        mean: ArrayLike,
        covariance: ArrayLike,
        shape: tuple[int, ...],
        *,
        clip: bool = True,
        pairs: bool = False,
        **facts: Any,
    ) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        self.covariance = np.asarray(covariance, dtype=np.float64)
        self.shape = tuple(int(n) for n in shape)
        self.clip = clip
        self.pairs = pairs
        self.facts = facts
        self._conditionals: dict[tuple[tuple[int, ...], tuple[int, ...]], normal.Conditional] = {}
        normal.check(self.mean, self.covariance, self.shape)

    @classmethod
    def fit(
        cls,
        inputs: Iterable[ArrayLike],
        patch: int = 14,
        channels: str = "joint",
        *,
        clip: bool = True,
    ) -> Self:
        """Estimate the patches' normal from inputs, one at a time.

        Parameters
        ----------
        inputs : arrays (channel, *spatial) in input space, in any number of dimensions.
        patch : length of the patch (the paper's l).
        channels : "joint", or "independent" as the published code had them.

        Raises
        ------
        SamplerError
            If there are too few patches for the number of values in one.
        """
        mean, covariance, shape, facts = fitting.patch_statistics(inputs, patch, channels)
        return cls(mean, covariance, shape, clip=clip, **facts)

    @classmethod
    def natural(
        cls, patch: int = 14, channels: str = "joint", *, colours: int = 3, clip: bool = True
    ) -> Self:
        """The embedded statistics of natural pictures (docs/samplers.md says from what).

        Parameters
        ----------
        patch, channels : as in `fit`; patches of up to 32 pixels.
        colours : 3 for red, green, blue; 1 for luminance.
        """
        mean, covariance = natural.patch_statistics(patch, channels, colours)
        facts: dict[str, Any] = {"channels": channels, "source": "natural pictures (embedded)"}
        return cls(mean, covariance, (colours, patch, patch), clip=clip, **facts)

    @property
    def group(self) -> int:
        return 2 if self.pairs else 1

    def paired(self) -> Self:
        return type(self)(
            self.mean, self.covariance, self.shape, clip=self.clip, pairs=True, **self.facts
        )

    @property
    def sha256(self) -> str:
        return base.fingerprint(
            mean=self.mean, covariance=self.covariance, shape=self.shape, clip=self.clip
        )

    def summary(self) -> dict[str, str]:
        """What there is to know of the sampler, in words and numbers."""
        spread = np.sqrt(np.diag(self.covariance)).reshape(self.shape[0], -1).mean(axis=1)
        mean = self.mean.reshape(self.shape[0], -1).mean(axis=1)
        return {
            "kind": "conditional normal",
            "patch": "×".join(map(str, self.shape[1:])),
            "channels": str(self.shape[0]),
            **{name: str(value) for name, value in self.facts.items()},
            "clipped": "yes" if self.clip else "no",
            "mean per channel": ", ".join(f"{value:.4g}" for value in mean),
            "deviation per channel": ", ".join(f"{value:.4g}" for value in spread),
            "sha256": self.sha256,
        }

    def central(self, patch: int) -> Self:
        """The same normal over the central part of the patch, `patch` long in each direction."""
        lengths = self.shape[1:]
        if any(patch > n for n in lengths):
            raise SamplerError(
                f"window + 2·margin needs patches of {patch}, the sampler was fitted on patches "
                f"of {'×'.join(map(str, lengths))}: choose a smaller window or margin, or fit it "
                f"with --patch {patch}"
            )
        corner = tuple((n - patch) // 2 for n in lengths)
        inside = self._places(corner, (patch,) * len(lengths))
        shape = (self.shape[0], *(patch,) * len(lengths))
        covariance = self.covariance[np.ix_(inside, inside)]
        return type(self)(self.mean[inside], covariance, shape, clip=self.clip, **self.facts)

    def conditional(self, size: tuple[int, ...], offset: tuple[int, ...]) -> normal.Conditional:
        """The normal of a window of `size` whose corner is at `offset` in the patch.

        Computed once for every offset and kept.
        """
        key = (size, offset)
        if key not in self._conditionals:
            window = self._places(offset, size)
            rest = np.setdiff1d(np.arange(len(self.mean)), window)
            self._conditionals[key] = normal.condition(self.mean, self.covariance, window, rest)
        return self._conditionals[key]

    def moments(
        self, inputs: NDArray[np.float32], windows: Windows
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Conditional mean and covariance of every window (equation 4).

        Parameters
        ----------
        inputs : (channel, *spatial).

        Returns
        -------
        means (window, value), and a covariance (value, value) per window; windows at the same
        offset in their patch share one.
        """
        means = np.empty((len(windows), self.shape[0] * math.prod(windows.size)))
        covariances = [np.empty(0)] * len(windows)
        for conditional, members, corners in self._by_offset(windows):
            means[members] = conditional.mean(_patches(inputs, corners, self.shape))
            for member in members:
                covariances[member] = conditional.covariance
        return means, covariances

    def check(
        self, inputs: NDArray[np.float32], windows: Windows, valid: base.Range | None
    ) -> None:
        lengths = self.shape[1:]
        if len(lengths) != len(windows.shape) or self.shape[0] != len(inputs):
            raise SamplerError(
                f"the sampler's patches have shape {self.shape}, the input {inputs.shape}: "
                "expected as many channels and dimensions; fit a sampler on inputs like this one"
            )
        if any(n < k for n, k in zip(lengths, windows.size, strict=True)) or (
            lengths == windows.size
        ):
            raise SamplerError(
                f"a patch of {max(lengths)} leaves nothing around a window of "
                f"{max(windows.size)} to condition on: expected a margin of at least 1"
            )
        if any(n > size for n, size in zip(lengths, windows.shape, strict=True)):
            raise SamplerError(
                f"a patch of {max(lengths)} (window + 2·margin) has no room in an input of "
                f"{'×'.join(map(str, windows.shape))}: choose a smaller window or margin"
            )
        if self.clip and valid is not None and not base.within(inputs, valid):
            raise SamplerError(
                f"values from {inputs.min():.4g} to {inputs.max():.4g}, but draws are clipped to "
                f"[{valid[0]:g}, {valid[1]:g}]: rescale the input, or use a sampler with clip=False"
            )

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,
        valid: base.Range | None,
    ) -> NDArray[np.float32]:
        values = self.shape[0] * math.prod(windows.size)
        draws = np.empty((len(windows), samples, values), dtype=np.float32)
        for conditional, members, corners in self._by_offset(windows):
            means = conditional.mean(_patches(inputs, corners, self.shape))
            noise = np.stack(
                [
                    self._noise(base.generator(seed, number), samples, values)
                    for number in windows.numbers[members]
                ]
            )
            draws[members] = means[:, None] + noise @ conditional.factor.T
        if self.clip and valid is not None:
            np.clip(draws, *valid, out=draws)
        return draws.reshape(len(windows), samples, self.shape[0], *windows.size)

    def _noise(self, random: np.random.Generator, samples: int, values: int) -> NDArray[np.float64]:
        """Standard normal (draw, value)."""
        if not self.pairs:
            return random.standard_normal((samples, values))
        half = random.standard_normal(((samples + 1) // 2, values))
        return np.stack([half, -half], axis=1).reshape(-1, values)[:samples]

    def save(self, path: str | Path) -> None:
        arrays = {
            "mean": self.mean,
            "covariance": self.covariance,
            "shape": np.array(self.shape),
        }
        base.write(path, "conditional", arrays, clip=self.clip, **self.facts)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        arrays, facts = base.read(path, "conditional")
        del facts["kind"]
        return cls(arrays["mean"], arrays["covariance"], tuple(arrays["shape"]), **facts)

    def _places(self, corner: tuple[int, ...], size: tuple[int, ...]) -> NDArray[np.int64]:
        """Where the values of a box stand in the flattened patch."""
        places = np.arange(len(self.mean)).reshape(self.shape)
        box = tuple(slice(o, o + k) for o, k in zip(corner, size, strict=True))
        return places[(slice(None), *box)].reshape(-1)

    def _by_offset(
        self, windows: Windows
    ) -> Iterator[tuple[normal.Conditional, NDArray[np.int64], NDArray[np.int64]]]:
        """The windows that sit at the same place in their patch, with the patches' corners."""
        lengths, size = np.array(self.shape[1:]), np.array(windows.size)
        centred = windows.starts - (lengths - size) // 2
        corners = np.clip(centred, 0, np.array(windows.shape) - lengths)
        offsets, group = np.unique(windows.starts - corners, axis=0, return_inverse=True)
        for number, offset in enumerate(offsets.tolist()):
            members = np.flatnonzero(group.reshape(-1) == number)
            yield self.conditional(windows.size, tuple(offset)), members, corners[members]


def _patches(
    inputs: NDArray[np.float32], corners: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Flattened patches (n, channel · patch) whose corners are given."""
    spatial = tuple(range(1, inputs.ndim))
    view = np.lib.stride_tricks.sliding_window_view(inputs, shape[1:], axis=spatial)
    patches = np.moveaxis(view, 0, len(spatial))[tuple(corners.T)]
    return np.asarray(patches.reshape(len(corners), -1), dtype=np.float64)
