"""StudentT: a Student distribution over the patch: a rough rim foretells a rough window.

Axis names: n window, w value in the window, p value in the patch.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals, Weights
from preddiff.samplers.files import Contents, Fact
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian import mixing, natural
from preddiff.samplers.gaussian.axes import PatchCovariance, Patches, PatchMean
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.conditioning import ConditionalNormal
from preddiff.samplers.gaussian.gathering import gathered
from preddiff.samplers.gaussian.partial import HiddenPart
from preddiff.samplers.gaussian.patches import flattened
from preddiff.samplers.gaussian.scatter import Each, of_distances
from preddiff.samplers.streams import window_generator
from preddiff.types import Floats, Integers, Mask, PerWindow, Pixels

# A Student distribution is a normal whose covariance has an unknown scale: N(μ, v·Σ) with
# ν / v of a chi-square distribution with ν degrees of freedom. With the rest r of a patch known,
# d of its values at the squared Mahalanobis distance q from their mean, the scale has the same law
# again, (ν + q) / v of a chi-square distribution with ν + d degrees of freedom. So the window is
# Student, too, about the normal's conditional mean, with ν + d degrees of freedom and the scatter
#
#     (ν + q) / (ν + d) · (Σ_ww - Σ_wr·Σ_rr⁻¹·Σ_rw)
#
# (Ding, "On the conditional distribution of the multivariate t distribution", The American
# Statistician 70, 2016). In pictures, where roughness differs from place to place, that says most
# of what a normal does not know (Wainwright & Simoncelli, NIPS 1999): ν matters little, as d is
# some hundreds.
#
# Taken at its word, the rim would tell the scale within a few per cent, but a window is not just as
# rough as its rim. So the normal density of the rim is raised to a power, the share of its values
# that counts: d and q become as much less (Miller & Dunson, "Robust Bayesian inference via
# coarsening", Journal of the American Statistical Association 114, 2019). The mean stays as it is.

_NATURAL_FREEDOM = 1.063  # scripts/fit_student.py prints both, for patches of 14
_NATURAL_SCALE = 0.1022  # scatter of the patches of natural pictures, in units of their covariance
_SCALES = 8  # equally likely ones stand for all in closed form

PerDraw = Annotated[Floats, "n draw"]


class StudentT(ConditionalGaussian):
    """Draws the window from a multivariate Student distribution, given the rest of the patch.

    Its conditional mean is that of the normal with the same mean and scatter; its spread follows
    from how far the rest of the patch is from its mean.

    Parameters
    ----------
    mean, covariance, shape, clip, pairs, facts : as of `ConditionalGaussian`; the covariance is
        the scatter matrix, which the covariance is a multiple of where there is one.
    freedom : degrees of freedom, above 0.

    Raises
    ------
    SamplerError
        As `ConditionalGaussian` does, or if `freedom` is not above 0.
    """

    kind = "student"
    told_by = 9.0
    """How many of the visible values count, at most, where they tell the scale.

    `scripts/fit_student.py` prints how likely windows of pictures are with several.
    """
    _has_scale = True

    def __init__(
        self,
        mean: ArrayLike,
        covariance: ArrayLike,
        shape: tuple[int, ...],
        *,
        freedom: float,
        clip: bool = True,
        pairs: bool = False,
        **facts: Fact,
    ) -> None:
        super().__init__(mean, covariance, shape, clip=clip, pairs=pairs, **facts)
        self.freedom = float(freedom)
        if not (np.isfinite(self.freedom) and self.freedom > 0):
            raise SamplerError(f"freedom={freedom}: expected more than 0 degrees of freedom")

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
        # By its likelihood. Patches are held in memory, a part of them where they are many.
        found = gathered(inputs, patch, channels, mask)
        mean, scatter, freedom = mixing.single(found)
        return cls(
            mean, scatter, found.shape, freedom=freedom, clip=clip, pairs=False, **found.facts
        )

    @classmethod
    def natural(
        cls, patch: int = 14, channels: str = "joint", *, colours: int = 3, clip: bool = True
    ) -> Self:
        """Return the embedded statistics of natural pictures, with the scale free in each patch.

        Parameters and errors are those of `ConditionalGaussian.natural`.
        """
        mean, covariance = natural.patch_statistics(patch, channels, colours)
        shape, source = (colours, patch, patch), "natural pictures (embedded)"
        return cls(
            mean,
            _NATURAL_SCALE * covariance,
            shape,
            freedom=_NATURAL_FREEDOM,
            clip=clip,
            channels=channels,
            source=source,
        )

    @property
    def sha256(self) -> str:
        """Fingerprint of the distribution, and of whether draws are clipped."""
        return fingerprint(
            mean=self.mean, covariance=self.covariance, shape=self.shape, clip=self.clip,
            freedom=self.freedom, told_by=self.told_by,
        )  # fmt: skip

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
        known = super().summary()
        known["kind"] = "conditional Student distribution"
        return {**known, "degrees of freedom": f"{self.freedom:.4g}"}

    def moments(
        self, inputs: Pixels, windows: Windows
    ) -> tuple[Annotated[Floats, "n w"], list[Annotated[Floats, "w w"]]]:
        """Return the conditional mean and covariance of every window."""
        means, scatters = super().moments(inputs, windows)
        scale, freedom = self._scale_of(inputs, windows)
        spread = scale * freedom / (freedom - 2)
        return means, [v * each for v, each in zip(spread, scatters, strict=True)]

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield normals of several scales, equally likely: of what weighted sums change by."""
        ((mean, covariance),) = super().project(weights, inputs, windows)
        scale, freedom = self._scale_of(inputs, windows)
        # Midpoints of as many equally likely parts, brought to the mean of all scales, ν/(ν - 2).
        likely = (np.arange(_SCALES) + 0.5) / _SCALES
        inverse = freedom / (2 * special.gammaincinv(freedom / 2, likely[:, None]))
        inverse *= freedom / (freedom - 2) / inverse.mean(axis=0)
        for each in inverse:
            yield mean, covariance * (scale * each)

    @cached_property
    def log_volume(self) -> float:
        """The logarithm of the square root of the scatter's determinant."""
        return float(np.linalg.slogdet(self.covariance)[1] / 2)

    def log_visible(
        self, inputs: Pixels, windows: Windows, part: HiddenPart | None = None
    ) -> PerWindow:
        """Return the logarithm of the density of what is visible in the patch of each window.

        As many of its values count as `told_by` says, so that it is comparable between laws only.

        Parameters
        ----------
        part : what is hidden of each window; None hides all of it.
        """
        found = np.empty(len(windows))
        for conditional, members, corners in self._groups(windows):
            patches = flattened(inputs, corners, self.shape)
            means, some = conditional.mean(patches), windows.subset(members)
            distance, count, volume = self._visible(conditional, means, inputs, some, part).T
            square = self._square(conditional, patches) + distance
            values = len(conditional.rest) + count
            share = self._share(values)
            density = of_distances(share * square, share * values, self.freedom)
            volume += self.log_volume - conditional.log_volume
            found[members] = density - share * volume
        return found

    def contents(self) -> Contents:
        """Return the distribution, and the facts of its making."""
        normal = super().contents()
        return Contents(self.kind, normal.arrays, {**normal.facts, "freedom": self.freedom})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts, shape = dict(contents.facts), contents.lengths("shape")
        mean, covariance = contents.numbers("mean", 1), contents.numbers("covariance", 2)
        clip, freedom = bool(facts.pop("clip")), float(facts.pop("freedom"))
        return cls(mean, covariance, shape, freedom=freedom, clip=clip, pairs=False, **facts)

    def _with(
        self, mean: PatchMean, covariance: PatchCovariance, shape: tuple[int, ...], *, pairs: bool
    ) -> Self:
        # The marginal of a Student distribution has the same degrees of freedom.
        other = type(self)(
            mean, covariance, shape, freedom=self.freedom, clip=self.clip, pairs=pairs, **self.facts
        )
        other.scan_grid = self.scan_grid
        return other

    @cached_property
    def _inverse(self) -> PatchCovariance:
        inverse = self._precision
        return np.asarray(linalg.pinvh(self.covariance)) if inverse is None else inverse

    def _scale_of(
        self, inputs: Pixels, windows: Windows
    ) -> tuple[Annotated[Floats, "n"], Annotated[Floats, "n"]]:
        """The scale of each window's scatter, and its degrees of freedom."""
        scale, freedom = np.empty(len(windows)), np.empty(len(windows))
        for conditional, members, corners in self._groups(windows):
            patches = flattened(inputs, corners, self.shape)
            square = self._square(conditional, patches)
            far, freedom[members] = self._known(square, len(conditional.rest))
            scale[members] = far / freedom[members]
        return scale, freedom

    def _share(self, values: Each | int) -> Each:
        """The share of some numbers of visible values that counts."""
        return np.asarray(np.minimum(1, self.told_by / np.maximum(values, 1)))

    def _known(self, square: Each, values: Each | int) -> tuple[Each, Each]:
        """ν + q and ν + d, where as many of the d visible values as `told_by` says count."""
        share = self._share(values)
        return self.freedom + share * square, self.freedom + share * values

    def _square(self, conditional: ConditionalNormal, patches: Patches) -> Each:
        """The squared distance of the rest of patches from its mean."""
        # With the conditional mean in the window's stead, a patch is as far as its rest is.
        deviation = patches - self.mean
        deviation[:, conditional.window] = conditional.mean(patches) - conditional.mean_window
        return np.asarray(np.einsum("np,np->n", deviation @ self._inverse, deviation))

    def _widths(
        self,
        conditional: ConditionalNormal,
        patches: Patches,
        visible: Annotated[Floats, "n triple"],
        numbers: Integers,
        samples: int,
        seed: int,
    ) -> PerDraw:
        distance, count, _ = visible.T
        square = self._square(conditional, patches) + distance
        far, freedom = self._known(square, len(conditional.rest) + count)
        drawn = -(-samples // self.group)
        # A block of random numbers of its own: what the noise takes depends on the window's size.
        chi = np.stack(
            [
                window_generator(seed, int(number), 1).chisquare(each, drawn)
                for number, each in zip(numbers, freedom, strict=True)
            ]
        )
        return np.asarray(np.sqrt(far[:, None] / np.repeat(chi, self.group, axis=1)[:, :samples]))

    def _log_density(
        self, conditional: ConditionalNormal, patches: Patches
    ) -> Annotated[Floats, "n"]:
        square, log_volume = conditional.distance(patches)
        far, freedom = self._known(self._square(conditional, patches), len(conditional.rest))
        values = len(conditional.window)
        constant = special.gammaln((freedom + values) / 2) - special.gammaln(freedom / 2)
        volume = log_volume + values / 2 * np.log(np.pi * far)
        return np.asarray(constant - volume - (freedom + values) / 2 * np.log1p(square / far))
