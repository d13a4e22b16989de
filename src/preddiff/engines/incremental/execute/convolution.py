"""Convolutions of changes.

A convolution is linear but for its bias, which the base holds: conv(b + d) - conv(b) is the
convolution of d without a bias. d is 0 outside of its box, and so are the zeros that a convolution
pads with: the box itself is convolved with padding, and nothing around it has to be gathered.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute import winograd
from preddiff.engines.incremental.execute.boxes import Box, Lengths, Placement, Start
from preddiff.engines.incremental.execute.layout import channels_last
from preddiff.engines.incremental.execute.operation import Native
from preddiff.engines.incremental.execute.reach import Interval, Sliding

CONVOLUTIONS: dict[int, Native] = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
"""By the number of axes of inputs and weights: torch's convolutions."""

_MANY_WEIGHTS = 1 << 19  # a MiB in bfloat16: weights that do not stay in a processor's cache
_SMALL_MAP = 64  # pixels of a map; above, arithmetic takes longer than reading the weights


class Convolution:
    """A convolution, in the precision of its weights."""

    def __init__(
        self, base: torch.Tensor, weight: torch.Tensor, sliding: Sequence[Sliding], groups: int
    ) -> None:
        self.base = base
        self.axes = tuple(range(2, base.ndim))
        self.sliding = tuple(sliding)
        self.groups = groups
        self._stride = tuple(side.stride for side in sliding)
        self._dilation = tuple(side.dilation for side in sliding)
        tiled = groups == 1 and winograd.pays(weight, self._stride, self._dilation)
        self._tiles = winograd.Tiles(weight) if tiled else None
        # Tiles have filters of their own, so the plain weights need no second copy.
        self.weight = weight if tiled else channels_last(weight, self.axes)
        is_short = weight.dtype != torch.float32
        one = groups == 1 and set(weight.shape[2:]) == set(self._stride) == {1}
        self._is_product = one and is_short
        self._is_wide = (
            weight.ndim == 4
            and is_short
            and weight.numel() >= _MANY_WEIGHTS
            and groups == 1
            and set(self._stride) == set(self._dilation) == {1}
        )

    def pad(self, before: Start) -> None:
        """Also do the work of a constant padding that stood before this convolution."""
        self.sliding = tuple(
            side._replace(padding=side.padding + more)
            for side, more in zip(self.sliding, before, strict=True)
        )

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:
        """Return the outputs that see a change."""
        return self.sliding[axis].reach(inputs[0])

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the convolution of the changes."""
        change, fits = self._fitted(placement, boxes[0])
        change = change.to(self.weight.dtype)
        for axis, fit in zip(self.axes, fits, strict=True):
            change = change.narrow(axis, fit.skip, fit.take)
        result = self._convolved(change, tuple(fit.padding for fit in fits))
        for axis, fit, length in zip(self.axes, fits, placement.lengths, strict=True):
            result = result.narrow(axis, fit.first, length)
        return Box(self.base, self.axes, placement, change=result)

    def _convolved(self, inputs: torch.Tensor, padding: tuple[int, ...]) -> torch.Tensor:
        """Return the convolution with zeros on both sides, by the fastest way that there is."""
        if self._tiles is not None:
            return self._tiles(inputs, padding)
        # A 1×1 convolution of channels-last memory is a product of matrices (pixel, channel) as it
        # stands. In short precisions libraries do that faster than what they call a convolution.
        if self._is_product and not any(padding):
            return F.linear(inputs.movedim(1, -1), self.weight.flatten(1)).movedim(-1, 1)
        convolve = CONVOLUTIONS[inputs.ndim]
        settings = self._stride, padding, self._dilation, self.groups
        if self._is_wide and inputs[0, 0].numel() <= _SMALL_MAP:
            return _side_by_side(
                lambda x: convolve(x, self.weight, None, *settings), inputs, padding[1]
            )
        result: torch.Tensor = convolve(inputs, self.weight, None, *settings)
        return result

    def _fitted(self, placement: Placement, box: Box) -> tuple[torch.Tensor, list["_Fit"]]:
        """Return changes, and along each axis how the wanted outputs are made of them.

        Usually these are the box's own changes. But windows may lie differently on what their
        outputs see (with strides, by their alignment; at the border, as boxes are shifted to stay
        inside). And at an edge there may be more zeros than a kernel is long, for which libraries
        have slow ways only. Then all that the outputs see is put together first, zeros included.
        """
        seen, lengths = inputs_seen(self.sliding, placement)
        before = {
            tuple(a - b for a, b in zip(start, first, strict=True))
            for start, first in zip(box.placement.starts, seen, strict=True)
        }
        if len(before) == 1:
            fits = self._fits(before.pop(), box.placement.lengths, placement)
            if all(fit.padding < s.extent for fit, s in zip(fits, self.sliding, strict=True)):
                return box.change, fits
        change = box.change_over(seen, lengths)
        return change, self._fits((0,) * len(lengths), lengths, placement)

    def _fits(self, before: Start, inputs: Lengths, placement: Placement) -> list["_Fit"]:
        sides = zip(self.sliding, before, inputs, placement.lengths, strict=True)
        return [_fit(*side) for side in sides]


class _Fit(NamedTuple):
    """Settings with which a convolution, padded alike on both sides, gives the wanted outputs.

    Attributes
    ----------
    skip, take : inputs to leave out at the start, and to keep.
    padding : zeros on each side.
    first : the first wanted output.
    """

    skip: int
    take: int
    padding: int
    first: int


def _fit(side: Sliding, before: int, inputs: int, outputs: int) -> _Fit:
    """Return the fit along one axis.

    Parameters
    ----------
    before : number of zeros that the first output sees before the inputs; negative, if it sees
        nothing of the first inputs.
    inputs, outputs : how many there are.
    """
    # The outputs see `before` zeros, then inputs, then `after` zeros (negative: inputs are left
    # over, and cut off). torch pads both sides alike. Zeros too many at the end give outputs too
    # many at the end, which are cut off. Zeros too many at the start would shift the grid of
    # outputs, unless they are a multiple of the stride: so if after > before, `more` strides are
    # added at the start, and give `more` outputs before the first wanted one that nobody wants.
    skip = max(0, -before)
    before += skip
    after = side.seen(outputs) - before - (inputs - skip)
    take = inputs - skip + min(0, after)
    more = max(0, -((before - after) // side.stride))
    return _Fit(skip, take, before + more * side.stride, more)


def _side_by_side(convolve: Native, inputs: torch.Tensor, padding: int) -> torch.Tensor:
    """Return the convolutions of small maps, done as one of a single wide map."""
    # Of a batch, libraries take a map at a time and read all weights for each. Where there are a
    # million weights for maps of 7×7 pixels, that is what the time goes into; for one wide map they
    # are read once. Zeros stand between neighbours, as many as pad each by itself on either side,
    # so that a kernel that reaches across sees the same zeros as at an edge; the outputs that lie
    # between two maps are skipped by the strides of the result.
    n, channels, rows, columns = inputs.shape
    step = columns + padding
    wide = inputs.new_zeros(1, rows, n, step, channels)
    wide[0, :, :, :columns].copy_(inputs.permute(2, 0, 3, 1))
    result: torch.Tensor = convolve(wide.view(1, rows, n * step, channels).permute(0, 3, 1, 2))
    per_row, per_column = result.stride(2), result.stride(3)
    kernel = n * step + 2 * padding - result.shape[3] + 1
    shape = (n, result.shape[1], result.shape[2], columns + 2 * padding - kernel + 1)
    return result.as_strided(shape, (step * per_column, 1, per_row, per_column))


def inputs_seen(sliding: Sequence[Sliding], placement: Placement) -> tuple[list[Start], Lengths]:
    """Return the boxes of inputs that the outputs of a placement see: their starts and lengths.

    They may stick out of the input, into its padding.
    """
    starts = [
        tuple(s * side.stride - side.padding for side, s in zip(sliding, start, strict=True))
        for start in placement.starts
    ]
    lengths = tuple(side.seen(n) for side, n in zip(sliding, placement.lengths, strict=True))
    return starts, lengths
