"""The order of boxes in memory: channels last wherever a tensor is (n, channel, *spatial).

Channels last, all channels of a pixel are neighbours in memory, so a row of a box is one run of
memory: cutting a box out of a map, or pasting it into another, copies few long runs. Channels
first, it would copy one short run for each channel and row. Libraries' convolutions are also
fastest in this order on processors.
"""

import torch

CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By a tensor's number of axes: torch's memory formats. It has none for lines, (n, channel, x)."""


def channels_last(tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Return the same values in the order of boxes; copies only where the order is another.

    Parameters
    ----------
    axes : which axes are spatial; where they do not begin at 2, the order is plain C order.
    """
    return tensor.contiguous(memory_format=_order(tensor, axes))


def empty_boxes(
    like: torch.Tensor,
    rows: int,
    axes: tuple[int, ...],
    lengths: tuple[int, ...],
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Return room for boxes: `rows` of them, like a tensor but for their lengths along `axes`."""
    shape = [rows, *like.shape[1:]]
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    return torch.empty(
        shape, dtype=dtype or like.dtype, device=like.device, memory_format=_order(like, axes)
    )


def _order(tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.memory_format:
    last = axes and axes[0] == 2 and tensor.ndim in CHANNELS_LAST
    return CHANNELS_LAST[tensor.ndim] if last else torch.contiguous_format
