"""Anywhere: one law of patches, wherever in an input they lie."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Self

from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.samplers.files import grid_of
from preddiff.samplers.gaussian.axes import PatchIndices
from preddiff.samplers.gaussian.patches import along_axes, box_indices, times
from preddiff.samplers.gaussian.surrounded import Surrounded
from preddiff.types import Mask


class Anywhere(Surrounded):
    """Draws a window from a law of patches that is the same everywhere."""

    @classmethod
    def fit(
        cls,
        inputs: Iterable[ArrayLike],
        patch: int = 14,
        channels: str = "joint",
        *,
        mask: Mask | None = None,
        clip: bool = True,
    ) -> Self:
        """Estimate the law of the patches of some inputs, which are gone through once.

        Parameters
        ----------
        inputs : arrays (channel, *spatial) in input space, in any number of dimensions; of a
            `VolumeFolder`, the sampler keeps the grid.
        patch : length of the patch (the paper's l).
        channels : "joint", or "independent" as the published code had them.
        mask : (*spatial), of inputs that all have this shape: only patches that are centred where
            it is true count.
        clip : True to clip draws to the range that is valid for the input.

        Raises
        ------
        SamplerError
            If there are too few patches for the number of values in one.
        """
        fitted = cls._fitted(inputs, patch, channels, mask, clip=clip)
        fitted.scan_grid = grid_of(inputs)
        return fitted

    @classmethod
    @abstractmethod
    def _fitted(
        cls,
        inputs: Iterable[ArrayLike],
        patch: int,
        channels: str,
        mask: Mask | None,
        *,
        clip: bool,
    ) -> Self:
        """What `fit` returns, but for the grid of scans."""

    def central(self, patch: int | tuple[int, ...]) -> Self:
        """Return the same law over the central part of the patch.

        Parameters
        ----------
        patch : length of that part, or its length along each axis.

        Raises
        ------
        SamplerError
            If the sampler was fitted on smaller patches.
        """
        lengths = self.shape[1:]
        wanted = along_axes(patch, len(lengths))
        if any(k > n for k, n in zip(wanted, lengths, strict=True)):
            raise SamplerError(
                f"window + 2·margin needs patches of {times(patch)}, the sampler was fitted on "
                f"patches of {times(lengths)}: choose a smaller window or margin, or fit it with "
                f"--patch {max(wanted)}"
            )
        offset = tuple((n - k) // 2 for k, n in zip(wanted, lengths, strict=True))
        inside = box_indices(self.shape, offset, wanted)
        return self._marginal(inside, (self.shape[0], *wanted))

    @abstractmethod
    def _marginal(self, inside: PatchIndices, shape: tuple[int, ...]) -> Self:
        """The law of some of a patch's values, which are patches of `shape`."""

    @property
    def is_located(self) -> bool:
        """False: one law serves wherever voxels are as large and lead the same way."""
        return False
