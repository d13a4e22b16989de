"""The arithmetic that boxes save."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from preddiff.engines.incremental.execute.boxes import Placement
from preddiff.engines.incremental.execute.convolution import Convolution
from preddiff.engines.incremental.execute.operation import Native
from preddiff.engines.incremental.execute.steps import Step
from preddiff.engines.incremental.execute.whole import Value


def counted(native: Native, values: Sequence[Value], called: nn.Module | None) -> tuple[Value, int]:
    """Return an operation's result, and its multiply-adds: those of convolutions and products.

    Parameters
    ----------
    called : the module that the operation is, if it is one.
    """
    # A count of calls, not of parameters: the linear layers of an exported network are functions,
    # and the products of attention have no weights at all.
    with _Counter() as counter:
        result: Value = native(*values)
    found = counter.operations // 2
    outputs = first_leaf(result)
    if found == 0 and called is not None and isinstance(outputs, torch.Tensor):
        # Torch's own attention is one operation on a processor, of which the counter knows nothing.
        weights = sum(p.numel() for p in called.parameters() if p.ndim > 1)
        found = weights * math.prod(outputs.shape[1:-1])
    return result, found


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of what runs inside, by torch's own table.

    Torch's FlopCounterMode also says in which module they are, and imports torch's compiler, to be
    left alone by it: seconds, for what nobody asks here.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: tuple[Value, ...] = (),
        kwargs: Mapping[str, Value] | None = None,
    ) -> Value:
        kwargs = kwargs or {}
        count = flop_registry.get(func._overloadpacket)
        if count is None:
            with self:  # it may be made of others, as attention is
                made: Value = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        result: Value = func(*args, **kwargs)
        if count is not None:
            self.operations += count(*args, **kwargs, out_val=result)
        return result


def multiply_adds(step: Step, placements: Mapping[int, Placement]) -> tuple[float, float]:
    """Return a step's multiply-adds for one draw: on whole outputs, and on boxes.

    Of a convolution on boxes, every changed input meets all weights once (a share of 1 / stride
    along each axis): zeros around the box cost nothing.
    """
    operation = step.operation
    if isinstance(operation, Convolution):
        each = operation.weight.numel()
        stride = math.prod(side.stride for side in operation.sliding)
        inputs = math.prod(placements[id(step.inputs[0])].lengths)
        return each * math.prod(operation.base.shape[2:]), each * inputs / stride
    if id(step) not in placements:
        return step.multiply_adds, step.multiply_adds
    sizes = [step.tensor.shape[axis] for axis in step.axes]
    share = math.prod(placements[id(step)].lengths) / math.prod(sizes)
    return step.multiply_adds, step.multiply_adds * share


def first_leaf(value: Value) -> Value:
    """Return a value itself, or the first one of nested lists and tuples."""
    while isinstance(value, list | tuple):
        value = value[0]
    return value
