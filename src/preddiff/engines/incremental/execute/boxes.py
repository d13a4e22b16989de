"""Boxes: the parts of a node's output that windows can change, and how they lie over the base.

Tensor axes: the first holds draws, window by window; `axes` says which ones are the input's
spatial axes. All other axes are whole in every box.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

Corner = tuple[int, ...]
Combine = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Place:
    """Where the boxes of a batch lie in a node's output.

    Attributes
    ----------
    starts : corner of each window's box, along the spatial axes; those of a node without spatial
        axes are empty.
    lengths : of every box.
    whole : whether the boxes are the whole output.
    draws : draws per window.
    """

    starts: list[Corner]
    lengths: Corner
    whole: bool
    draws: int

    @cached_property
    def corners(self) -> NDArray[np.int64]:
        """(window, 3), the starts of windows of up to three spatial axes, the last ones last."""
        corners = np.zeros((len(self.starts), 3), dtype=np.int64)
        corners[:, 3 - len(self.lengths) :] = self.starts
        return corners


class Box:
    """A node's output for a batch of draws, where a window can change it.

    It is held as values, or as changes against the base (what linear operations need), and each is
    made of the other when it is asked for.

    Parameters
    ----------
    base : (1, ...), the node's output on the unperturbed input.
    axes : which axes of the base are spatial.
    value, change : (window · draw, ...), one of the two. Values have the base's precision; changes
        may have a shorter one, which costs them a share of themselves, not of the values.
    """

    def __init__(
        self,
        base: torch.Tensor,
        axes: tuple[int, ...],
        place: Place,
        *,
        value: torch.Tensor | None = None,
        change: torch.Tensor | None = None,
    ) -> None:
        self.base = base
        self.axes = axes
        self.place = place
        self._value = value
        self._change = change

    @property
    def value(self) -> torch.Tensor:
        """(window · draw, ...), what stands in the boxes."""
        if self._value is None:
            self._value = self.over(self._held, self._below(), torch.add)
        return self._value

    @property
    def change(self) -> torch.Tensor:
        """(window · draw, ...), value minus base."""
        if self._change is None:
            self._change = self.over(self._held, self._below(), torch.sub)
        return self._change

    @property
    def _held(self) -> torch.Tensor:
        held = self._value if self._change is None else self._change
        if held is None:
            raise RuntimeError("a box holds either its value or its change")
        return held

    def _below(self) -> torch.Tensor:
        return gather(self.base, self.axes, self.place.starts, self.place.lengths)

    def over(self, draws: torch.Tensor, windows: torch.Tensor, operation: Combine) -> torch.Tensor:
        """An operation on (window · draw, ...) and (window or 1, ...)."""
        if len(windows) == 1:
            return operation(draws, windows)
        return operation(split(draws, len(windows)), windows[:, None]).flatten(0, 1)

    def change_over(self, starts: Sequence[Corner], lengths: Corner) -> torch.Tensor:
        """Changes of another box, 0 where this one is not; it may stick out of the output."""
        if lengths == self.place.lengths and list(starts) == self.place.starts:
            return self.change
        change = self.change
        result = empty(change, len(change), self.axes, lengths).zero_()
        self._paste(change, result, starts)
        return result

    def value_over(
        self,
        starts: Sequence[Corner],
        lengths: Corner,
        table: torch.Tensor | None = None,
        before: Corner | None = None,
    ) -> torch.Tensor:
        """Values of another box, those of the base where this one is not.

        Parameters
        ----------
        table : the base with a margin around it, if the other box may stick out of the output.
        before : width of that margin at the lower ends.
        """
        if lengths == self.place.lengths and list(starts) == self.place.starts:
            return self.value
        value = self.value
        corners = starts
        if before is not None:
            corners = [tuple(s + b for s, b in zip(start, before, strict=True)) for start in starts]
        below = gather(self.base if table is None else table, self.axes, corners, lengths)
        result = empty(value, len(value), self.axes, lengths)
        windows = len(self.place.starts)
        split(result, windows).copy_(below[:, None])
        self._paste(value, result, starts)
        return result

    def _paste(self, source: torch.Tensor, target: torch.Tensor, starts: Sequence[Corner]) -> None:
        """Put this box into other boxes that start elsewhere, as far as they overlap."""
        offsets = [
            tuple(mine - theirs for mine, theirs in zip(own, other, strict=True))
            for own, other in zip(self.place.starts, starts, strict=True)
        ]
        for rows, offset in _runs(offsets, self.place.draws):
            mine, theirs = source[rows], target[rows]
            for axis, shift in zip(self.axes, offset, strict=True):
                low = max(0, shift)
                length = min(shift + mine.shape[axis], theirs.shape[axis]) - low
                if length <= 0:
                    break
                mine = mine.narrow(axis, low - shift, length)
                theirs = theirs.narrow(axis, low, length)
            else:
                theirs.copy_(mine)


def _runs(offsets: list[Corner], draws: int) -> Iterator[tuple[slice, Corner]]:
    """Rows of windows that have the same offset, together."""
    first = 0
    for last in range(1, len(offsets) + 1):
        if last == len(offsets) or offsets[last] != offsets[first]:
            yield slice(first * draws, last * draws), offsets[first]
            first = last


def split(rows: torch.Tensor, windows: int) -> torch.Tensor:
    """(window · draw, ...) as (window, draw, ...), of the same memory."""
    return rows.view(torch.Size((windows, len(rows) // windows, *rows.shape[1:])))


def gather(
    table: torch.Tensor, axes: tuple[int, ...], starts: Sequence[Corner], lengths: Corner
) -> torch.Tensor:
    """Boxes (window, ...) of a table (1, ...); (1, ...), a view, where all are the same."""
    if not axes or all(start == starts[0] for start in starts):
        return _narrowed(table, axes, starts[0], lengths)
    result = empty(table, len(starts), axes, lengths)
    for row, start in zip(result, starts, strict=True):
        row[None].copy_(_narrowed(table, axes, start, lengths))
    return result


def _narrowed(
    table: torch.Tensor, axes: tuple[int, ...], start: Corner, lengths: Corner
) -> torch.Tensor:
    for axis, first, length in zip(axes, start, lengths, strict=True):
        table = table.narrow(axis, first, length)
    return table


_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def compact(tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """The same values in the order in which boxes are fastest to cut out: channels last."""
    if axes and axes[0] == 2 and tensor.ndim in _CHANNELS_LAST:
        return tensor.contiguous(memory_format=_CHANNELS_LAST[tensor.ndim])
    return tensor.contiguous()


def empty(
    like: torch.Tensor,
    rows: int,
    axes: tuple[int, ...],
    lengths: Corner,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Room for boxes of a tensor (1, ...), channels last."""
    shape = [rows, *like.shape[1:]]
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    last = axes and axes[0] == 2 and like.ndim in _CHANNELS_LAST
    order = _CHANNELS_LAST[like.ndim] if last else torch.contiguous_format
    return torch.empty(shape, dtype=dtype or like.dtype, device=like.device, memory_format=order)
