"""ConditionalGaussian: a normal over the patch, given the pixels around the window.

Section 3.1 and figure 2 of the paper.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base
from preddiff.samplers.gaussian import fitting, natural, normal
from preddiff.samplers.gaussian.patchwise import Alike, Patchwise, by_key


class ConditionalGaussian(Patchwise):
    """Draws the window from one multivariate normal over the patch, given the rest of the patch.

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
        mask: NDArray[np.bool_] | None = None,
        clip: bool = True,
    ) -> Self:
        """Estimate the patches' normal from inputs, one at a time.

        Parameters
        ----------
        inputs : arrays (channel, *spatial) in input space, in any number of dimensions.
        patch : length of the patch (the paper's l).
        channels : "joint", or "independent" as the published code had them.
        mask : (*spatial), of inputs that all have this shape: only patches that are centred where
            it is true count.

        Raises
        ------
        SamplerError
            If there are too few patches for the number of values in one.
        """
        mean, covariance, shape, facts = fitting.patch_statistics(inputs, patch, channels, mask)
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
        inside = normal.places(self.shape, corner, (patch,) * len(lengths))
        shape = (self.shape[0], *(patch,) * len(lengths))
        covariance = self.covariance[np.ix_(inside, inside)]
        return type(self)(self.mean[inside], covariance, shape, clip=self.clip, **self.facts)

    def conditional(self, size: tuple[int, ...], offset: tuple[int, ...]) -> normal.Conditional:
        """The normal of a window of `size` whose corner is at `offset` in the patch.

        Computed once for every offset and kept.
        """
        key = (size, offset)
        if key not in self._conditionals:
            window, rest = normal.split(self.shape, offset, size)
            if self._precision is None:
                found = normal.condition(self.mean, self.covariance, window, rest)
            else:
                found = normal.by_precision(self.mean, self._precision[window], window, rest)
            self._conditionals[key] = found
        return self._conditionals[key]

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

    @cached_property
    def _precision(self) -> NDArray[np.float64] | None:
        return normal.precision(self.covariance)

    def _alike(self, windows: Windows) -> Iterator[Alike]:
        """The windows that sit at the same place in their patch."""
        corners = self._corners(windows)
        offsets = windows.starts - corners
        for members in by_key(offsets, self.shape[1:]):
            offset = tuple(offsets[members[0]].tolist())
            yield Alike(self.conditional(windows.size, offset), members, corners[members])
