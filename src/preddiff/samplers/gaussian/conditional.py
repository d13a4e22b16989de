"""ConditionalGaussian: a normal over the patch, given the pixels around the window.

Section 3.1 and figure 2 of the paper.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.method.windows import Windows
from preddiff.samplers.files import Contents, Fact
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian import natural, patch_statistics
from preddiff.samplers.gaussian.anywhere import Anywhere
from preddiff.samplers.gaussian.axes import PatchCovariance, PatchIndices, PatchMean
from preddiff.samplers.gaussian.conditioning import (
    ConditionalNormal,
    by_covariance,
    by_precision,
)
from preddiff.samplers.gaussian.covariance import check_normal, precision
from preddiff.samplers.gaussian.patches import split_indices
from preddiff.samplers.gaussian.patchwise import Patchwise, WindowGroup, grouped
from preddiff.types import Mask


class ConditionalGaussian(Anywhere, Patchwise):
    """Draws the window from one multivariate normal over the patch, given the rest of the patch.

    The patch lies centred around the window; at the border of the input it is shifted so that it
    stays inside, and the window sits off-centre in it.

    Parameters
    ----------
    mean : (channel · patch...,), of patches flattened in C order.
    covariance : of the same patches, symmetric and positive semi-definite.
    shape : (channel, *patch) of a patch, e.g. (3, 14, 14).
    clip : True to clip draws to the range that is valid for the input.
    pairs : True for draws in antithetic pairs, z and -z around the conditional mean: their mean
        varies less than that of independent ones.
    facts : what is worth keeping about its making (source, number of patches, ...).

    Raises
    ------
    SamplerError
        If the shapes do not agree, a value is not finite, or the covariance is not one.
    """

    kind = "conditional"

    def __init__(
        self,
        mean: ArrayLike,
        covariance: ArrayLike,
        shape: tuple[int, ...],
        *,
        clip: bool = True,
        pairs: bool = False,
        **facts: Fact,
    ) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        self.covariance = np.asarray(covariance, dtype=np.float64)
        self.shape = tuple(int(n) for n in shape)
        self.clip = clip
        self.pairs = pairs
        self.facts = facts
        self._conditionals: dict[tuple[tuple[int, ...], tuple[int, ...]], ConditionalNormal] = {}
        check_normal(self.mean, self.covariance, self.shape)

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
        found = patch_statistics.estimate(inputs, patch, channels, mask)
        return cls(found.mean, found.covariance, found.shape, clip=clip, pairs=False, **found.facts)

    @classmethod
    def natural(
        cls, patch: int = 14, channels: str = "joint", *, colours: int = 3, clip: bool = True
    ) -> Self:
        """Return the embedded statistics of natural pictures (docs/samplers.md says from what).

        Parameters
        ----------
        patch, channels, clip : as in `fit`; patches of up to 32 pixels.
        colours : 3 for red, green, blue; 1 for luminance.

        Raises
        ------
        SamplerError
            If there are no statistics for so large a patch or so many colours.
        """
        mean, covariance = natural.patch_statistics(patch, channels, colours)
        shape, source = (colours, patch, patch), "natural pictures (embedded)"
        return cls(mean, covariance, shape, clip=clip, channels=channels, source=source)

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""
        return self._with(self.mean, self.covariance, self.shape, pairs=True)

    def over_channels(self) -> Self:
        """Return the same law with channels as the first axis of patches of one channel.

        A window that is one long there is drawn given what the other channels have.
        """
        return self._with(self.mean, self.covariance, (1, *self.shape), pairs=self.pairs)

    @property
    def sha256(self) -> str:
        """Fingerprint of the normal, and of whether draws are clipped."""
        return fingerprint(
            mean=self.mean, covariance=self.covariance, shape=self.shape, clip=self.clip
        )

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
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

    def conditional(self, size: tuple[int, ...], offset: tuple[int, ...]) -> ConditionalNormal:
        """Return the normal of a window of `size` whose corner is at `offset` in the patch.

        Computed once for every offset and kept.
        """
        key = (size, offset)
        if key not in self._conditionals:
            window, rest = split_indices(self.shape, offset, size)
            # One inverse serves all offsets; a singular covariance has none.
            if self._precision is None:
                found = by_covariance(self.mean, self.covariance, window, rest)
            else:
                found = by_precision(self.mean, self._precision[window], window, rest)
            self._conditionals[key] = found
        return self._conditionals[key]

    def contents(self) -> Contents:
        """Return the normal, and the facts of its making."""
        arrays = {
            "mean": self.mean,
            "covariance": self.covariance,
            "shape": np.array(self.shape),
        }
        return Contents(self.kind, arrays, {"clip": self.clip, **self.facts})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts, shape = dict(contents.facts), contents.lengths("shape")
        mean, covariance = contents.numbers("mean", 1), contents.numbers("covariance", 2)
        return cls(mean, covariance, shape, clip=bool(facts.pop("clip")), pairs=False, **facts)

    def _marginal(self, inside: PatchIndices, shape: tuple[int, ...]) -> Self:
        # The marginal of a normal over some of its values has just their means and covariances.
        covariance = self.covariance[np.ix_(inside, inside)]
        return self._with(self.mean[inside], covariance, shape, pairs=False)

    def _with(
        self, mean: PatchMean, covariance: PatchCovariance, shape: tuple[int, ...], *, pairs: bool
    ) -> Self:
        """Another normal with the same settings and facts."""
        other = type(self)(mean, covariance, shape, clip=self.clip, pairs=pairs, **self.facts)
        return self.passed_on(other)

    @cached_property
    def _precision(self) -> PatchCovariance | None:
        return precision(self.covariance)

    def _groups(self, windows: Windows) -> Iterator[WindowGroup]:
        """The windows that sit at the same offset in their patch."""
        corners = self._corners(windows)
        offsets = windows.starts - corners
        for members in grouped(offsets, self.shape[1:]):
            offset = tuple(offsets[members[0]].tolist())
            yield WindowGroup(self.conditional(windows.size, offset), members, corners[members])
