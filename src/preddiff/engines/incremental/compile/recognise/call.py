"""The arguments of recognisers: a node, and those of its arguments that depend on the input."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from preddiff.engines.incremental.execute.operation import Native, Operation
from preddiff.engines.incremental.execute.pointwise import Pointwise
from preddiff.engines.incremental.execute.whole import Value

Size = int | Sequence[int]
"""One number for all spatial axes, or one for each."""


@dataclass(frozen=True, eq=False)
class TracedInput:
    """A tensor that depends on the network's input.

    Attributes
    ----------
    base : (1, ...), its value on the unperturbed input.
    axes : which axes are spatial; none where that is not known.
    name : of the node. Two nodes may give one and the same tensor, as dropout does in evaluation,
        but they are two steps.
    """

    base: torch.Tensor
    axes: tuple[int, ...]
    name: str = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The lengths along the spatial axes."""
        return sizes(self.base, self.axes)

    @property
    def is_map(self) -> bool:
        """True of (n, channel, *spatial), as convolutions want it."""
        return len(self.axes) > 0 and self.axes == tuple(range(2, self.base.ndim))


@dataclass(frozen=True, eq=False)
class TracedParts:
    """A tuple of tensors that were cut out of one, along an axis that is not spatial.

    Attributes
    ----------
    axes : which axes are spatial.
    along : the axis that is cut.
    begins : where each part begins.
    """

    axes: tuple[int, ...]
    along: int
    begins: tuple[int, ...]


Operand = TracedInput | torch.Tensor | int | float
Recognised = Operation | TracedParts | None


@dataclass(frozen=True, eq=False)
class Call:
    """A node.

    Attributes
    ----------
    result : its output on the unperturbed input.
    native : its own operation, a function of the inputs that depend on the network's input.
    dtype : precision of changes.
    """

    result: Value
    native: Native
    dtype: torch.dtype

    @property
    def base(self) -> torch.Tensor:
        """The output on the unperturbed input, of a node that gives a tensor."""
        if not isinstance(self.result, torch.Tensor):
            raise TypeError(f"the node gives a {type(self.result).__name__}: expected a tensor")
        return self.result

    def pointwise(self, x: TracedInput, *, linear: bool = False) -> Operation | None:
        """Return the operation at each pixel, if the output has the input's spatial axes."""
        if self.base.ndim != x.base.ndim or sizes(self.base, x.axes) != x.sizes:
            return None
        return Pointwise(self.base, x.axes, self.native, linear=linear)


def sizes(base: torch.Tensor, axes: Sequence[int]) -> tuple[int, ...]:
    """Return the lengths of a tensor along some axes."""
    return tuple(base.shape[axis] for axis in axes)


def per_axis(value: Size, count: int) -> tuple[int, ...]:
    """Return one number for each of so many axes."""
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    return values * count if len(values) == 1 else values


def input_numbers(inputs: Sequence[TracedInput]) -> tuple[int, ...]:
    """Return which of a step's inputs each is: a node that is taken twice is one input."""
    keys = [each.name or id(each.base) for each in inputs]
    nodes = list(dict.fromkeys(keys))
    return tuple(nodes.index(key) for key in keys)
