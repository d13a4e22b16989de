"""Gathering: patches of some inputs, as many as memory is to hold."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.samplers.files import Fact
from preddiff.samplers.gaussian.axes import Patches
from preddiff.samplers.gaussian.patch_statistics import check_channels, checked_input
from preddiff.samplers.gaussian.patches import flattened, patch_corners
from preddiff.types import Integers, Mask

_MOST_VALUES = 1 << 25  # that are held, 256 MiB


class Gathered(NamedTuple):
    """Patches of some inputs.

    Attributes
    ----------
    patches : (n, p), flattened in C order.
    owners : (n,), number of the input that each is of.
    shape : (channel, *patch).
    channels : "joint" or "independent".
    """

    patches: Patches
    owners: Annotated[Integers, "n"]
    shape: tuple[int, ...]
    channels: str

    @property
    def facts(self) -> dict[str, Fact]:
        """Facts that are worth keeping of them: channels, inputs, patches."""
        inputs = int(self.owners[-1]) + 1
        return {"channels": self.channels, "inputs": inputs, "patches": len(self.patches)}

    def some(self, which: Annotated[Integers, "_some"]) -> "Gathered":
        """Return some of the patches."""
        return self._replace(patches=self.patches[which], owners=self.owners[which])


def gathered(
    inputs: Iterable[ArrayLike], patch: int, channels: str, mask: Mask | None = None
) -> Gathered:
    """Return patches of inputs, as many as memory is to hold.

    They are a third of their length apart, as nearer ones say almost the same. Parameters are those
    of `patch_statistics.estimate`.

    Raises
    ------
    SamplerError
        If inputs cannot be used, or there are too few patches for the number of values in one.
    """
    check_channels(channels)
    if patch < 1:
        raise SamplerError(f"patch={patch}: expected at least 1")
    random, share = np.random.default_rng(0), 1.0
    held, owners = np.empty((0, 0)), np.empty(0, dtype=np.int64)
    shape: tuple[int, ...] = ()
    members = 0
    for member in inputs:
        values = checked_input(member, patch, members, mask)
        own = (len(values), *(patch,) * (values.ndim - 1))
        if members and own != shape:
            raise SamplerError(
                f"input {members} has patches of shape {own}: expected {shape}, as the ones "
                "before it"
            )
        shape = own
        corners = patch_corners(
            values.shape[1:], patch, mask, (max(1, patch // 3),) * (values.ndim - 1)
        )
        # As many of each input as of those before it, of which some were given up.
        some = flattened(values, corners[random.random(len(corners)) < share], shape)
        held = np.concatenate([held, some]) if members else some
        owners = np.concatenate([owners, np.full(len(some), members)])
        while held.size > _MOST_VALUES:
            kept = random.random(len(held)) < 0.5
            held, owners, share = held[kept], owners[kept], share / 2
        members += 1
    if members < 2 or len(held) < 2 * held.shape[1]:
        raise SamplerError(
            f"{members} inputs with {len(held)} patches are too few: expected at least 2 inputs "
            f"and two patches for each of the {held.shape[1]} values in one; add inputs or choose "
            "a smaller patch"
        )
    return Gathered(held, owners, shape, channels)
