"""SpecContext: what a loader knows of the analysis when it makes a sampler of a SPEC.

A SPEC is NAME or NAME:ARGUMENT, such as conditional:brain.npz. A loader is a function of the
argument ("" without one) and the context, which returns a sampler or raises a SamplerError.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from preddiff.errors import SettingError
from preddiff.media.grid import Grid
from preddiff.samplers.base import Sampler
from preddiff.types import PerChannel, Pixels

PrepareImage = Callable[[Image.Image], Pixels]


EVERY_CHANNEL = "channel:each:"
"""What a SPEC begins with that stands for one of each channel."""


@dataclass(frozen=True, eq=False)
class SpecContext:
    """The input that a sampler is for, and what the model knows of such inputs.

    Attributes
    ----------
    shape : (channel, *spatial) of the input.
    window : length of a window, or its length along each axis.
    margin : pixels or voxels around the window that a conditional sampler is conditioned on.
    prepare : makes an array like the input of a picture: what the network sees or, for a hidden
        node, the node's values.
    mean : (channel,), the training inputs' mean colour; None where it is not known.
    hidden : True if windows hide a node's values and not those of a picture or volume.
    grid : where the voxels of a scan lie; None of anything else.
    resample : whether other scans may be interpolated to that grid.
    channels : names of the input's channels, where they are known.
    """

    shape: tuple[int, ...]
    window: int | tuple[int, ...]
    margin: int
    prepare: PrepareImage
    mean: PerChannel | None
    hidden: bool = False
    grid: Grid | None = None
    resample: bool = False
    channels: tuple[str, ...] = ()

    @property
    def patch(self) -> int | tuple[int, ...]:
        """Length of a conditional sampler's patch: window + 2 · margin, along each axis.

        Raises
        ------
        SettingError
            If the margin leaves nothing to condition on.
        """
        margin = self.margin
        if isinstance(margin, bool) or not isinstance(margin, int | np.integer) or margin < 1:
            raise SettingError(
                f"margin={margin} leaves no room around the window to condition on: expected a "
                "whole number of at least 1"
            )
        if isinstance(self.window, tuple):
            return tuple(k + 2 * margin for k in self.window)
        return int(self.window + 2 * margin)

    @property
    def cube(self) -> int:
        """Length of the patch along its longest axis, for samplers of one length."""
        return max(self.patch) if isinstance(self.patch, tuple) else self.patch


Loader = Callable[[str, SpecContext], Sampler]
