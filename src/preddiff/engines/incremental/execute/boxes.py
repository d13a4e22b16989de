"""Boxes: the parts of a node's output that windows can change, and where they lie on the base.

Tensor axes: the first holds draws, window by window; `axes` says which ones are the input's
spatial axes. All other axes are whole in every box.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from preddiff.engines.incremental.execute.layout import empty_boxes
from preddiff.types import Integers

Start = tuple[int, ...]
"""The first index of a box along each spatial axis."""
Lengths = tuple[int, ...]
"""The length of a box along each spatial axis."""
Combine = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Placement:
    """The positions of a batch's boxes in a node's output.

    All boxes of a batch have one size, so that they are one tensor. A window whose own box is
    shorter gets some unchanged pixels around it: more work, but the same values.

    Attributes
    ----------
    starts : of each window's box, along the spatial axes; those of a node without spatial axes are
        empty.
    lengths : of every box.
    whole : whether the boxes are the whole output.
    draws : draws per window.
    """

    starts: list[Start]
    lengths: Lengths
    whole: bool
    draws: int

    @cached_property
    def starts_zyx(self) -> Integers:
        """(window, 3): the starts along z, y and x, 0 for axes that there are not."""
        starts = np.zeros((len(self.starts), 3), dtype=np.int64)
        starts[:, 3 - len(self.lengths) :] = self.starts
        return starts


class Box:
    """A node's output for a batch of draws, where a window can change it.

    It is held as values, or as changes against the base (what linear operations need), and each is
    made of the other when it is asked for.

    Changes are what makes the engine cheap and exact. A linear operation f has f(b + d) - f(b) =
    f(d), and d is 0 outside of the box, so nothing of the base has to be read. And where changes
    are held in a short precision, rounding costs a share of the change: bfloat16 keeps 8 bits, so
    about 0.4 % of d, however small d is. Values in bfloat16 would lose 0.4 % of b + d instead,
    which may be more than all of d.

    Parameters
    ----------
    base : (1, ...), the node's output on the unperturbed input.
    axes : which axes of the base are spatial.
    value, change : (window · draw, ...), one of the two. Values have the base's precision; changes
        may have a shorter one.
    """

    def __init__(
        self,
        base: torch.Tensor,
        axes: tuple[int, ...],
        placement: Placement,
        *,
        value: torch.Tensor | None = None,
        change: torch.Tensor | None = None,
    ) -> None:
        self.base = base
        self.axes = axes
        self.placement = placement
        self._value = value
        self._change = change

    @property
    def value(self) -> torch.Tensor:
        """(window · draw, ...): the node's values inside the boxes."""
        if self._value is None:
            self._value = self.over(self.held, self._base_inside(), torch.add)
        return self._value

    @property
    def change(self) -> torch.Tensor:
        """(window · draw, ...): value minus base."""
        if self._change is None:
            self._change = self.over(self.held, self._base_inside(), torch.sub)
        return self._change

    @property
    def held(self) -> torch.Tensor:
        """The tensor in memory: the change where there is one, else the value."""
        held = self._value if self._change is None else self._change
        if held is None:
            raise RuntimeError("a box holds either its value or its change")
        return held

    def _base_inside(self) -> torch.Tensor:
        return gather(self.base, self.axes, self.placement.starts, self.placement.lengths)

    def over(self, draws: torch.Tensor, windows: torch.Tensor, operation: Combine) -> torch.Tensor:
        """Return an operation on (window · draw, ...) and (window or 1, ...).

        What windows have in common is broadcast over their draws, not repeated.
        """
        if len(windows) == 1:
            return operation(draws, windows)
        return operation(split(draws, len(windows)), windows[:, None]).flatten(0, 1)

    def change_over(self, starts: Sequence[Start], lengths: Lengths) -> torch.Tensor:
        """Return the changes in other boxes, which may stick out of the output.

        They are 0 where this box is not: outside of it nothing changes, and outside of the output
        a change meets the zeros of a padding.
        """
        if lengths == self.placement.lengths and list(starts) == self.placement.starts:
            return self.change
        change = self.change
        result = empty_boxes(change, len(change), self.axes, lengths).zero_()
        self._paste(change, result, starts)
        return result

    def value_over(
        self,
        starts: Sequence[Start],
        lengths: Lengths,
        table: torch.Tensor | None = None,
        before: Start | None = None,
    ) -> torch.Tensor:
        """Return the values in other boxes: those of the base where this box is not.

        Parameters
        ----------
        table : the base with a margin around it, if the other boxes may stick out of the output.
        before : width of that margin at the lower ends.
        """
        if lengths == self.placement.lengths and list(starts) == self.placement.starts:
            return self.value
        value = self.value
        corners = starts
        if before is not None:
            corners = [tuple(s + b for s, b in zip(start, before, strict=True)) for start in starts]
        below = gather(self.base if table is None else table, self.axes, corners, lengths)
        result = empty_boxes(value, len(value), self.axes, lengths)
        windows = len(self.placement.starts)
        split(result, windows).copy_(below[:, None])
        self._paste(value, result, starts)
        return result

    def _paste(self, source: torch.Tensor, target: torch.Tensor, starts: Sequence[Start]) -> None:
        """Copy these boxes into others that start elsewhere, as far as they overlap."""
        offsets = [
            tuple(mine - theirs for mine, theirs in zip(own, other, strict=True))
            for own, other in zip(self.placement.starts, starts, strict=True)
        ]
        for rows, offset in _runs(offsets, self.placement.draws):
            mine, theirs = source[rows], target[rows]
            for axis, shift in zip(self.axes, offset, strict=True):
                low = max(0, shift)
                length = min(shift + mine.shape[axis], theirs.shape[axis]) - low
                if length <= 0:  # no overlap along this axis, so none at all
                    break
                mine = mine.narrow(axis, low - shift, length)
                theirs = theirs.narrow(axis, low, length)
            else:
                theirs.copy_(mine)


def _runs(offsets: list[Start], draws: int) -> Iterator[tuple[slice, Start]]:
    """Yield the rows of neighbouring windows that have the same offset, to copy them in one go."""
    first = 0
    for last in range(1, len(offsets) + 1):
        if last == len(offsets) or offsets[last] != offsets[first]:
            yield slice(first * draws, last * draws), offsets[first]
            first = last


def split(rows: torch.Tensor, windows: int) -> torch.Tensor:
    """Return (window · draw, ...) as (window, draw, ...), of the same memory."""
    return rows.view(torch.Size((windows, len(rows) // windows, *rows.shape[1:])))


def gather(
    table: torch.Tensor, axes: tuple[int, ...], starts: Sequence[Start], lengths: Lengths
) -> torch.Tensor:
    """Return boxes (window, ...) of a table (1, ...).

    Where all windows have the same box, it is (1, ...), a view of the table.
    """
    if not axes or all(start == starts[0] for start in starts):
        return _narrowed(table, axes, starts[0], lengths)
    result = empty_boxes(table, len(starts), axes, lengths)
    for row, start in zip(result, starts, strict=True):
        row[None].copy_(_narrowed(table, axes, start, lengths))
    return result


def _narrowed(
    table: torch.Tensor, axes: tuple[int, ...], start: Start, lengths: Lengths
) -> torch.Tensor:
    for axis, first, length in zip(axes, start, lengths, strict=True):
        table = table.narrow(axis, first, length)
    return table
