"""How operations work on boxes. Linear ones work on changes, all others on values.

Each says which outputs its inputs reach (`reach`, by a row of regions.py) and makes a box of a
place in the output (`run`).
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute import kernels as compiled
from preddiff.engines.incremental.execute import regions, winograd
from preddiff.engines.incremental.execute.boxes import Box, Corner, Place, compact, empty, gather
from preddiff.engines.incremental.execute.regions import Range, Sliding

Native = Callable[..., Any]
"""A node's own operation: takes its tensor inputs, gives its output."""

_CONVOLUTIONS: dict[int, Callable[..., torch.Tensor]] = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
_AVERAGES: dict[int, Callable[..., torch.Tensor]] = {
    3: F.avg_pool1d,
    4: F.avg_pool2d,
    5: F.avg_pool3d,
}


_MANY_WEIGHTS = 1 << 19  # that do not stay in a processor's cache
_SMALL_MAP = 64  # places, over which reading them does not pay


class Operation(Protocol):
    """What a node of the graph does to boxes.

    Attributes
    ----------
    base : (1, ...), the node's output on the unperturbed input.
    axes : which axes of it are spatial.
    """

    base: torch.Tensor
    axes: tuple[int, ...]

    def reach(self, axis: int, inputs: list[Range]) -> Range:
        """Outputs that ranges of the inputs (one per box that goes in) reach along an axis."""

    def run(self, place: Place, boxes: list[Box]) -> Box:
        """The output's boxes at a place, given the inputs'."""


class Convolution:
    """On changes: what a convolution makes of a change is the change of what it makes.

    It computes in the precision of its weights.
    """

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
        self.weight = weight if tiled else compact(weight, self.axes)  # tiles have their own
        one = groups == 1 and set(weight.shape[2:]) == set(self._stride) == {1}
        self._product = one and weight.dtype != torch.float32
        self._is_wide = (
            weight.ndim == 4
            and weight.dtype != torch.float32
            and weight.numel() >= _MANY_WEIGHTS
            and groups == 1
            and set(self._stride) == set(self._dilation) == {1}
        )

    def pad(self, before: Corner) -> None:
        """Do also what a margin of so many places before the inputs does."""
        self.sliding = tuple(
            side._replace(padding=side.padding + more)
            for side, more in zip(self.sliding, before, strict=True)
        )

    def reach(self, axis: int, inputs: list[Range]) -> Range:
        return self.sliding[axis].reach(inputs[0])

    def run(self, place: Place, boxes: list[Box]) -> Box:
        change, fits = self._fitted(place, boxes[0])
        change = change.to(self.weight.dtype)
        for axis, fit in zip(self.axes, fits, strict=True):
            change = change.narrow(axis, fit.skip, fit.take)
        result = self._convolved(change, tuple(fit.padding for fit in fits))
        for axis, fit, length in zip(self.axes, fits, place.lengths, strict=True):
            result = result.narrow(axis, fit.first, length)
        return Box(self.base, self.axes, place, change=result)

    def _convolved(self, inputs: torch.Tensor, padding: tuple[int, ...]) -> torch.Tensor:
        if self._tiles is not None:
            return self._tiles(inputs, padding)
        if self._product and not any(padding):  # in short precisions faster than as a convolution
            return F.linear(inputs.movedim(1, -1), self.weight.flatten(1)).movedim(-1, 1)
        convolve = _CONVOLUTIONS[inputs.ndim]
        settings = self._stride, padding, self._dilation, self.groups
        if self._is_wide and inputs[0, 0].numel() <= _SMALL_MAP:
            return _side_by_side(
                lambda x: convolve(x, self.weight, None, *settings), inputs, padding[1]
            )
        return convolve(inputs, self.weight, None, *settings)

    def _fitted(self, place: Place, box: Box) -> tuple[torch.Tensor, list["_Fit"]]:
        """Changes, and along each axis how the outputs at a place are made of them.

        Of all that the outputs see where windows differ in how they lie on it, or where there would
        be more zeros at an edge than a kernel is long, for which libraries have slow ways only.
        """
        seen, lengths = _seen(self.sliding, place)
        before = {
            tuple(a - b for a, b in zip(start, first, strict=True))
            for start, first in zip(box.place.starts, seen, strict=True)
        }
        if len(before) == 1:
            fits = self._fits(before.pop(), box.place.lengths, place)
            if all(fit.padding < s.extent for fit, s in zip(fits, self.sliding, strict=True)):
                return box.change, fits
        change = box.change_over(seen, lengths)
        return change, self._fits((0,) * len(lengths), lengths, place)

    def _fits(self, before: Corner, inputs: Corner, place: Place) -> list["_Fit"]:
        """For inputs of which so many places lie before what the first output sees."""
        sides = zip(self.sliding, before, inputs, place.lengths, strict=True)
        return [_fit(*side) for side in sides]


def _side_by_side(convolve: Native, inputs: torch.Tensor, padding: int) -> torch.Tensor:
    """A convolution of small maps as one of a single wide map, so that weights are read once.

    Zeros stand between neighbours, as many as there are before and behind each by itself.
    """
    n, channels, rows, columns = inputs.shape
    step = columns + padding
    wide = inputs.new_zeros(1, rows, n, step, channels)
    wide[0, :, :, :columns].copy_(inputs.permute(2, 0, 3, 1))
    result: torch.Tensor = convolve(wide.view(1, rows, n * step, channels).permute(0, 3, 1, 2))
    per_row, per_column = result.stride(2), result.stride(3)
    kernel = n * step + 2 * padding - result.shape[3] + 1
    shape = (n, result.shape[1], result.shape[2], columns + 2 * padding - kernel + 1)
    return result.as_strided(shape, (step * per_column, 1, per_row, per_column))


class _Fit:
    """How to make a convolution with the same padding on both sides give the wanted outputs.

    Attributes
    ----------
    skip, take : inputs to leave out at the start, and to keep.
    padding : zeros on each side.
    first : the first wanted output.
    """

    __slots__ = ("first", "padding", "skip", "take")

    def __init__(self, skip: int, take: int, padding: int, first: int) -> None:
        self.skip, self.take, self.padding, self.first = skip, take, padding, first


def _fit(side: Sliding, before: int, inputs: int, outputs: int) -> _Fit:
    """One axis: the first output sees `before` places that lie before the inputs."""
    skip = max(0, -before)
    before += skip
    after = side.seen(0, outputs)[1] - before - (inputs - skip)
    take = inputs - skip + min(0, after)
    more = max(0, -((before - after) // side.stride))
    return _Fit(skip, take, before + more * side.stride, more)


class MaxPool:
    """On values: everything that an output sees, from the base where unchanged."""

    def __init__(
        self,
        base: torch.Tensor,
        source: torch.Tensor,
        sliding: Sequence[Sliding],
        dtype: torch.dtype,
    ) -> None:
        self.base = base
        self.axes = tuple(range(2, base.ndim))
        self.sliding = tuple(sliding)
        self.dtype = dtype
        self._source = compact(source, self.axes)

    def reach(self, axis: int, inputs: list[Range]) -> Range:
        return self.sliding[axis].reach(inputs[0])

    @cached_property
    def _flats(self) -> tuple[compiled.Flat, compiled.Flat]:
        return compiled.Flat.of(self._source), compiled.Flat.of(self.base)

    @cached_property
    def _columns(self) -> tuple[tuple[int, ...], ...]:
        """Kernels, strides, paddings and dilations of three axes."""
        sides = [Sliding(1)] * (3 - len(self.sliding)) + list(self.sliding)
        return tuple(zip(*sides, strict=True))

    def run(self, place: Place, boxes: list[Box]) -> Box:
        box = boxes[0]
        if compiled.can(box.change, self._source):
            out = empty(self.base, len(box.change), self.axes, place.lengths, self.dtype)
            places = box.place.corners, place.corners
            compiled.pool(out, box.change, *self._flats, places, self._columns)
            return Box(self.base, self.axes, place, change=out)
        starts, lengths = _seen(self.sliding, place)
        before, table = _with_margin(self._source, self.base, self.sliding, -math.inf)
        values = box.value_over(starts, lengths, table, before)
        for axis, side, length in zip(self.axes, self.sliding, place.lengths, strict=True):
            values = _maximum_along(axis, values, side, length)
        return Box(self.base, self.axes, place, value=values)


def _maximum_along(axis: int, values: torch.Tensor, side: Sliding, outputs: int) -> torch.Tensor:
    """One axis at a time: unlike torch's pooling, which also finds where the maximum is."""
    first, *others = (
        _along(axis, slice(begin, begin + (outputs - 1) * side.stride + 1, side.stride))
        for begin in range(0, side.extent, side.dilation)
    )
    if not others:
        return values[first]
    result = torch.maximum(values[first], values[others[0]])
    for other in others[1:]:
        torch.maximum(result, values[other], out=result)
    return result


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


class AveragePool:
    """On changes; `share` corrects outputs that average over fewer places than the kernel has."""

    def __init__(self, base: torch.Tensor, sliding: Sequence[Sliding], share: torch.Tensor) -> None:
        self.base = base
        self.axes = tuple(range(2, base.ndim))
        self.sliding = tuple(sliding)
        self.share = share
        self._pool = _AVERAGES[base.ndim]

    def reach(self, axis: int, inputs: list[Range]) -> Range:
        return self.sliding[axis].reach(inputs[0])

    def run(self, place: Place, boxes: list[Box]) -> Box:
        starts, lengths = _seen(self.sliding, place)
        changes = boxes[0].change_over(starts, lengths)
        pooled = self._pool(
            changes,
            tuple(side.kernel for side in self.sliding),
            tuple(side.stride for side in self.sliding),
        )
        share = gather(self.share, self.axes, place.starts, place.lengths)
        result = Box(self.base, self.axes, place, change=pooled)
        return Box(
            self.base,
            self.axes,
            place,
            change=result.over(pooled, share, torch.mul),
        )


def mean_of_whole(
    values: torch.Tensor, base: torch.Tensor, sliding: Sequence[Sliding]
) -> torch.Tensor:
    """Sums over the kernel, zeros outside, divided by its size: what `share` is relative to."""
    _, table = _with_margin(values, base, sliding, 0.0)
    return _AVERAGES[base.ndim](
        table, tuple(side.kernel for side in sliding), tuple(side.stride for side in sliding)
    )


class Pointwise:
    """Outputs depend on the inputs at the same place only: the node's own operation on boxes.

    Parameters
    ----------
    native : takes the boxes' tensors, each over the whole of the output's boxes.
    linear : whether it may be run on changes.
    """

    def __init__(
        self, base: torch.Tensor, axes: tuple[int, ...], native: Native, *, linear: bool = False
    ) -> None:
        self.base = base
        self.axes = axes
        self.native = native
        self.linear = linear

    def reach(self, axis: int, inputs: list[Range]) -> Range:  # noqa: ARG002
        return regions.union([regions.pointwise(each) for each in inputs])

    def run(self, place: Place, boxes: list[Box]) -> Box:
        if self.linear:
            result = self.native(*(b.change_over(place.starts, place.lengths) for b in boxes))
            return Box(self.base, self.axes, place, change=result)
        result = self.native(*(b.value_over(place.starts, place.lengths) for b in boxes))
        return Box(self.base, self.axes, place, value=result)


class Padding:
    """Constant padding: nothing changes there, and everything else moves."""

    def __init__(self, base: torch.Tensor, axes: tuple[int, ...], before: Sequence[int]) -> None:
        self.base = base
        self.axes = axes
        self.before = tuple(before)

    def reach(self, axis: int, inputs: list[Range]) -> Range:
        return regions.shifted(inputs[0], self.before[axis])

    def run(self, place: Place, boxes: list[Box]) -> Box:
        starts = [
            tuple(s - b for s, b in zip(start, self.before, strict=True)) for start in place.starts
        ]
        change = boxes[0].change_over(starts, place.lengths)
        return Box(self.base, self.axes, place, change=change)


class GlobalMean:
    """Mean over all spatial axes, on changes."""

    def __init__(
        self, base: torch.Tensor, axes: tuple[int, ...], source: torch.Tensor, over: tuple[int, ...]
    ) -> None:
        self.base = base
        self.axes = axes
        self._over = over
        self._size = math.prod(source.shape[axis] for axis in over)

    def reach(self, axis: int, inputs: list[Range]) -> Range:  # noqa: ARG002
        return regions.everything(inputs[0], 1)

    def run(self, place: Place, boxes: list[Box]) -> Box:
        change = boxes[0].change
        exact = torch.promote_types(change.dtype, torch.float32)
        change = change.sum(self._over, keepdim=bool(self.axes), dtype=exact) / self._size
        return Box(self.base, self.axes, place, change=change)


class Whole:
    """Anything else: the node's own operation on whole outputs. Slower, never wrong.

    Of what it gives, nothing is known but that all of it may change: it has no spatial axes.
    """

    axes = ()

    def __init__(self, base: Any, native: Native) -> None:
        self.base = base
        self.native = native

    def run(self, place: Place, boxes: list[Any]) -> Any:
        """A box of the whole output; what is no tensor (a tuple of some) as it is."""
        result = self.native(*(whole(each) if isinstance(each, Box) else each for each in boxes))
        if not isinstance(result, torch.Tensor):
            return result
        return Box(self.base, self.axes, place, value=result)


def whole(box: Box) -> torch.Tensor:
    """Values of the node's whole output, (window · draw, ...)."""
    if box.place.whole:
        return box.value
    corner = (0,) * len(box.axes)
    size = tuple(box.base.shape[axis] for axis in box.axes)
    return box.value_over([corner] * len(box.place.starts), size)


def _seen(sliding: Sequence[Sliding], place: Place) -> tuple[list[Corner], Corner]:
    """Which box of inputs the outputs at a place see."""
    starts = [
        tuple(side.seen(s, 1)[0] for side, s in zip(sliding, start, strict=True))
        for start in place.starts
    ]
    lengths = tuple(side.seen(0, n)[1] for side, n in zip(sliding, place.lengths, strict=True))
    return starts, lengths


def _with_margin(
    source: torch.Tensor, base: torch.Tensor, sliding: Sequence[Sliding], fill: float
) -> tuple[Corner, torch.Tensor]:
    """The input of a pooling with all that its outputs see outside, and the width before it."""
    before, pads = [], []
    for side, size, outputs in zip(sliding, source.shape[2:], base.shape[2:], strict=True):
        first, length = side.seen(0, outputs)
        before.append(-first)
        pads.append((-first, max(0, first + length - size)))
    flat = [n for pair in reversed(pads) for n in pair]
    axes = tuple(range(2, source.ndim))
    return tuple(before), compact(F.pad(source, flat, value=fill), axes)
