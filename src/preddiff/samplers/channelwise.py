"""ChannelwiseGaussian: for hidden activations, a conditional normal for each channel by itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import base
from preddiff.samplers.gaussian.conditional import ConditionalGaussian

_APART = 1 << 40  # between the seeds of two channels, whose noise is independent


class ChannelwiseGaussian:
    """Draws each channel of a window from a normal over its patch, given the rest of the patch.

    All channels of a hidden map together would be too many values for one normal. Draws are
    clipped to what was seen in each channel: at least 0 behind a ReLU (section 3.3).

    Parameters
    ----------
    channels : a normal over patches (1, *patch) for each channel.
    low, high : (channel,), the range that was seen.
    """

    population = None

    def __init__(
        self, channels: Sequence[ConditionalGaussian], low: ArrayLike, high: ArrayLike
    ) -> None:
        self.channels = list(channels)
        self.low = np.asarray(low, dtype=np.float32)
        self.high = np.asarray(high, dtype=np.float32)
        if not len(self.channels) == len(self.low) == len(self.high) > 0:
            raise SamplerError(
                f"{len(self.channels)} channels with {len(self.low)} and {len(self.high)} ends of "
                "their ranges: expected as many, at least one"
            )

    @classmethod
    def fit(cls, maps: ArrayLike, patch: int) -> Self:
        """Estimate every channel's normal from a node's values on several inputs.

        Parameters
        ----------
        maps : (n, channel, *spatial).
        patch : length of the patch.

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
        return cls(each, values.min(axis=over), values.max(axis=over))

    @property
    def group(self) -> int:
        return self.channels[0].group

    def paired(self) -> Self:
        return type(self)([each.paired() for each in self.channels], self.low, self.high)

    @property
    def sha256(self) -> str:
        parts = {f"channel{n}": each.sha256 for n, each in enumerate(self.channels)}
        return base.fingerprint(low=self.low, high=self.high, **parts)

    def check(
        self, inputs: NDArray[np.float32], windows: Windows, valid: base.Range | None
    ) -> None:
        if len(inputs) != len(self.channels):
            raise SamplerError(
                f"the sampler has {len(self.channels)} channels, the node's values {len(inputs)}: "
                "fit it on the values of the same node, and hide places (window=a number)"
            )
        self.channels[0].check(inputs[:1], windows, valid)

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,
        valid: base.Range | None,
    ) -> NDArray[np.float32]:
        each = [
            channel.draw(inputs[[n]], windows, samples, seed + n * _APART, valid)
            for n, channel in enumerate(self.channels)
        ]
        column = (-1, *(1,) * len(windows.size))
        draws = np.concatenate(each, axis=2)
        return np.clip(draws, self.low.reshape(column), self.high.reshape(column))

    def save(self, path: str | Path) -> None:
        arrays = {
            "mean": np.stack([each.mean for each in self.channels]),
            "covariance": np.stack([each.covariance for each in self.channels]),
            "shape": np.array(self.channels[0].shape),
            "low": self.low,
            "high": self.high,
        }
        base.write(path, "channelwise", arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        arrays, _ = base.read(path, "channelwise")
        shape = tuple(arrays["shape"])
        each = [
            ConditionalGaussian(mean, covariance, shape, clip=False)
            for mean, covariance in zip(arrays["mean"], arrays["covariance"], strict=True)
        ]
        return cls(each, arrays["low"], arrays["high"])
