"""The steps from an input to the wanted node: the base of each, and how to do it on boxes."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import fx

from preddiff.engines.incremental.compile.fuse import fused
from preddiff.engines.incremental.compile.recognise import RECOGNISED, Call, Parts, Seen, arguments
from preddiff.engines.incremental.compile.simplify import simplified
from preddiff.engines.incremental.execute.boxes import Place, compact
from preddiff.engines.incremental.execute.operations import Convolution, Operation, Whole
from preddiff.engines.incremental.execute.steps import Number, Program, Source, Step, needed


def trace(
    part: fx.GraphModule, inputs: torch.Tensor, axes: Sequence[int], dtype: torch.dtype
) -> Program:
    """The steps of a graph.

    Parameters
    ----------
    part : ends in the wanted node.
    inputs : (1, ...), the network's input, normalised.
    axes : which axes of it are spatial.
    dtype : of the changes, and of the weights that they meet. The base is in the network's own
        precision: a change is far less than what it changes, and must not drown in its rounding.
    """
    module = simplified(part)
    with torch.no_grad():
        steps = fused(_Tracer(module, dtype).steps(inputs, tuple(axes)))
    return Program(module, *_divided(steps))


def multiply_adds(step: Step, places: Mapping[int, Place]) -> tuple[float, float]:
    """Of a step for one draw: on whole outputs, and on boxes. Counts what has weights."""
    operation = step.operation
    if isinstance(operation, Convolution):
        each = operation.weight.numel()
        stride = math.prod(side.stride for side in operation.sliding)
        inputs = math.prod(places[id(step.inputs[0])].lengths)
        return each * math.prod(step.base.shape[2:]), each * inputs / stride
    weights = sum(p.numel() for p in step.parameters if p.ndim > 1)
    outputs = _flat([step.base])[0]
    count = math.prod(outputs.shape[1:-1]) if isinstance(outputs, torch.Tensor) else 0
    return weights * count, weights * count


class _Tracer:
    """Runs a graph on the unperturbed input and recognises its operations on the way."""

    def __init__(self, module: fx.GraphModule, dtype: torch.dtype) -> None:
        self.module = module
        self.dtype = dtype
        self.constants: dict[fx.Node, Any] = {}
        self.made: dict[fx.Node, Step] = {}
        self.parts: dict[fx.Node, tuple[fx.Node, Parts]] = {}

    def steps(self, inputs: torch.Tensor, axes: tuple[int, ...]) -> list[Step]:
        """Those that the output needs, in running order."""
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                self.made[node] = Step(node.name, Source(compact(inputs, axes), axes), [])
            elif node.op == "output":
                return needed(list(self.made.values()), self.made[node.args[0]])
            elif any(n in self.made for n in node.all_input_nodes):
                self.made[node] = self._step(node)
            else:
                self.constants[node] = self._native(node, [])()
        raise ValueError("the graph has no output")

    def _step(self, node: fx.Node) -> Step:
        before = [n for n in node.all_input_nodes if n in self.made]
        native = self._native(node, before)
        values = [self.made[n].base for n in before]
        base = native(*values)
        if _is_shape(node) or not (_has_tensor(values) and _has_tensor(base)):
            return Step(node.name, Number(base, native), [self.made[n] for n in before])
        operation = self._recognised(node, Call(base, native, self.dtype))
        if operation is None:
            inputs = [self.made[n] for n in before]
            return Step(node.name, Whole(base, native), inputs, self._parameters(node))
        operation.base = compact(base, tuple(operation.axes))
        first = node.args[0]
        if isinstance(first, fx.Node) and first in self.parts:
            before = [self.parts[first][0]]
        tensors = [n for n in before if isinstance(self.made[n].base, torch.Tensor)]
        inputs = [self.made[n] for n in tensors]
        return Step(node.name, operation, inputs, self._parameters(node))

    def _parameters(self, node: fx.Node) -> list[torch.Tensor]:
        if node.op != "call_module":
            return []
        return list(self.module.get_submodule(str(node.target)).parameters())

    def _recognised(self, node: fx.Node, call: Call) -> Operation | None:
        """The operation on boxes; None where it is unknown or needs whole outputs."""
        name, extra = getattr(node.target, "__name__", str(node.target)).split(".")[0], ()
        if node.op == "call_module":
            name, extra = arguments(self.module.get_submodule(str(node.target)))
        recognise = RECOGNISED.get(name)
        if recognise is None:
            return None
        args = (*fx.node.map_arg(node.args, self._known), *extra)
        kwargs = fx.node.map_arg(node.kwargs, self._known)
        try:
            inspect.signature(recognise).bind(call, *args, **kwargs)
        except TypeError:  # an argument that we do not know
            return None
        seen = [each for each in _flat(args) if isinstance(each, Seen)]
        if not seen:
            return None
        found: Operation | Parts | None = recognise(call, *args, **kwargs)
        if not isinstance(found, Parts):
            return found
        self.parts[node] = (node.all_input_nodes[0], found)
        return None

    def _known(self, node: fx.Node) -> Any:
        """A node as the functions of recognise.py take it."""
        if node not in self.made:
            return self.constants[node]
        step = self.made[node]
        if isinstance(step.operation, Number):
            return step.base
        if node in self.parts:
            source, parts = self.parts[node]
            return Seen(step.base, self.made[source].axes, parts)
        return Seen(step.base, step.axes)

    def _native(self, node: fx.Node, before: list[fx.Node]) -> Callable[..., Any]:
        """The node's own operation, as a function of the inputs that depend on the input."""
        own = self._own(node)

        def native(*values: Any) -> Any:
            given = dict(zip(before, values, strict=True))

            def value(n: fx.Node) -> Any:
                return given[n] if n in given else self.constants[n]

            return own(*fx.node.map_arg(node.args, value), **fx.node.map_arg(node.kwargs, value))

        return native

    def _own(self, node: fx.Node) -> Callable[..., Any]:
        if node.op == "get_attr":
            value = self.module
            for name in str(node.target).split("."):
                value = getattr(value, name)
            return lambda: value
        if node.op == "call_module":
            return self.module.get_submodule(str(node.target))
        if node.op == "call_method":
            return lambda first, *args, **kwargs: getattr(first, str(node.target))(*args, **kwargs)
        return node.target  # type: ignore[return-value]


def _is_shape(node: fx.Node) -> bool:
    return node.op == "call_method" and node.target in {"size", "dim", "ndimension"}


def _has_tensor(value: Any) -> bool:
    return any(isinstance(each, torch.Tensor) for each in _flat([value]))


def _flat(values: Any) -> list[Any]:
    if isinstance(values, list | tuple):
        return [each for value in values for each in _flat(value)]
    return [values]


def _divided(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """Body and tail: cut at the first node of features that everything goes through."""
    for number, step in enumerate(steps[1:], start=1):
        if step.axes or not isinstance(step.base, torch.Tensor) or step.base.ndim != 2:
            continue
        before = {id(each) for each in steps[:number]}
        later = [each for after in steps[number + 1 :] for each in after.inputs]
        if not any(id(each) in before for each in later):
            return steps[: number + 1], steps[number + 1 :]
    return steps, []
