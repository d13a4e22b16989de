"""ChannelwiseGaussian: for a node's values, a conditional normal for each channel by itself."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import ValidRange
from preddiff.samplers.files import Contents, Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.types import Batch, Draws, Mask, Pixels

_SEED_STEP = 1 << 40  # between the seeds of two channels, whose noise is independent


class ChannelwiseGaussian(Stored):
    """Draws each channel of a window from a normal over its patch, given the rest of the patch.

    All channels of a hidden map together would be too many values for one normal. Draws are
    clipped to what was seen in each channel: at least 0 after a ReLU (section 3.3).

    Parameters
    ----------
    channels : a normal over patches (1, *patch) for each channel.
    low, high : (channel,), the range that was seen.
    origin : fingerprint of the pictures whose values these were fitted on; None if not known.

    Raises
    ------
    SamplerError
        If there are no channels, or not as many ranges.
    """

    kind = "channelwise"
    stands_in = (
        "something else that could plausibly have stood there, in each channel given the values "
        "around it"
    )

    def __init__(
        self,
        channels: Sequence[ConditionalGaussian],
        low: ArrayLike,
        high: ArrayLike,
        origin: str | None = None,
    ) -> None:
        self.channels = list(channels)
        self.origin = origin
        self.low = np.asarray(low, dtype=np.float32)
        self.high = np.asarray(high, dtype=np.float32)
        if not len(self.channels) == len(self.low) == len(self.high) > 0:
            raise SamplerError(
                f"{len(self.channels)} channels with {len(self.low)} and {len(self.high)} ends of "
                "their ranges: expected as many, at least one"
            )

    @classmethod
    def fit(cls, maps: ArrayLike, patch: int, origin: str | None = None) -> Self:
        """Estimate every channel's normal from a node's values on several inputs.

        Parameters
        ----------
        maps : (n, channel, *spatial).
        patch : length of the patch.
        origin : fingerprint of the inputs, if it is known.

        Raises
        ------
        SamplerError
            If there are too few patches for the number of values in one.
        """
        values = np.asarray(maps, dtype=np.float32)
        each = [
            ConditionalGaussian.fit(values[:, [channel]], patch, clip=False)
            for channel in range(values.shape[1])
        ]
        over = (0, *range(2, values.ndim))
        return cls(each, values.min(axis=over), values.max(axis=over), origin)

    @property
    def group(self) -> int:
        """Draws that depend on each other, as in every channel's own sampler."""
        return self.channels[0].group

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""
        return type(self)(
            [each.paired() for each in self.channels], self.low, self.high, self.origin
        )

    def central(self, patch: int | tuple[int, ...]) -> Self:
        """Return the same normals over the central part of the patch.

        Raises
        ------
        SamplerError
            If the patches are smaller than that.
        """
        return type(self)(
            [each.central(patch) for each in self.channels], self.low, self.high, self.origin
        )

    @property
    def sha256(self) -> str:
        """Fingerprint of all channels' normals and ranges, or of what they were fitted on.

        A node's values differ in their last bits with the machine and the number of threads.
        """
        if self.origin is not None:
            return fingerprint(origin=self.origin, patch=self.channels[0].shape)
        parts = {f"channel{n}": each.sha256 for n, each in enumerate(self.channels)}
        return fingerprint(low=self.low, high=self.high, **parts)

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if these are not the node's values, or leave nothing around."""
        if len(inputs) != len(self.channels):
            raise SamplerError(
                f"the sampler has {len(self.channels)} channels, the node's values {len(inputs)}: "
                "fit it on the values of the same node, and hide positions (window=a number)"
            )
        self.channels[0].check(inputs[:1], windows, valid)

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return draws of every channel from its own normal, clipped to what was seen in it."""
        # A window has the same number in every channel, and a stream is keyed by (seed, number):
        # with one seed for all, every channel would get the same noise. Seeds of analyses are small
        # numbers, so steps of 2^40 lead to keys that no other analysis uses.
        each = [
            channel.draw(inputs[[n]], windows, samples, seed + n * _SEED_STEP, valid)
            for n, channel in enumerate(self.channels)
        ]
        column = (-1, *(1,) * len(windows.size))
        draws = np.concatenate(each, axis=2)
        return np.clip(draws, self.low.reshape(column), self.high.reshape(column))

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the values with windows of every channel drawn from its own normal."""
        each = [
            channel.fill(inputs[[n]], windows, samples, seed + n * _SEED_STEP, valid)
            for n, channel in enumerate(self.channels)
        ]
        return self._clipped(inputs, windows.covered, np.concatenate(each, axis=1))

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the values with places of every channel drawn from its own normal."""
        each = [
            channel.hide(inputs[[n]], hidden, samples, seed + n * _SEED_STEP, valid)
            for n, channel in enumerate(self.channels)
        ]
        return self._clipped(inputs, hidden, np.concatenate(each, axis=1))

    def contents(self) -> Contents:
        """Return all channels' normals and ranges."""
        arrays = {
            "mean": np.stack([each.mean for each in self.channels]),
            "covariance": np.stack([each.covariance for each in self.channels]),
            "shape": np.array(self.channels[0].shape),
            "low": self.low,
            "high": self.high,
        }
        return Contents(self.kind, arrays, {"origin": self.origin or ""})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        shape = contents.lengths("shape")
        each = [
            ConditionalGaussian(mean, covariance, shape, clip=False)
            for mean, covariance in zip(
                contents.numbers("mean", 2), contents.numbers("covariance", 3), strict=True
            )
        ]
        origin = str(contents.facts.get("origin", "")) or None
        return cls(each, contents.numbers("low", 1), contents.numbers("high", 1), origin)

    def _clipped(self, inputs: Pixels, hidden: Mask, filled: Batch) -> Batch:
        """Return what was drawn clipped to what was seen in each channel; the rest as it is."""
        column = (-1, *(1,) * hidden.ndim)
        low, high = self.low.reshape(column), self.high.reshape(column)
        return np.where(hidden, np.clip(filled, low, high), inputs)
