"""From a graph to a program: the base of every step, and how to do it on boxes."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import fx, nn

from preddiff.engines.incremental.compile.fuse import fused
from preddiff.engines.incremental.compile.multiply_adds import counted
from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput, TracedParts
from preddiff.engines.incremental.compile.recognise.modules import as_function
from preddiff.engines.incremental.compile.recognise.table import RECOGNISED
from preddiff.engines.incremental.compile.simplify import simplified
from preddiff.engines.incremental.execute.layout import channels_last
from preddiff.engines.incremental.execute.operation import Native, Operation
from preddiff.engines.incremental.execute.steps import (
    FromShapes,
    NetworkInput,
    Program,
    Step,
    needed,
)
from preddiff.engines.incremental.execute.whole import Value, WholeOutput

_SHAPE_METHODS = {"size", "dim", "ndimension"}
_FIXED = {"device", "dtype", "layout", "is_cuda"}  # attributes that no draw changes


def trace(
    part: fx.GraphModule, inputs: torch.Tensor, axes: Sequence[int], dtype: torch.dtype
) -> Program:
    """Return the steps of a graph.

    Parameters
    ----------
    part : ends in the wanted node.
    inputs : (1, ...), the network's input, normalised.
    axes : which axes of it are spatial.
    dtype : of the changes, and of the weights that they meet. The base is in the network's own
        precision: a change is far less than what it changes, and must not drown in its rounding.
    """
    module = simplified(part, inputs)
    with torch.no_grad():
        steps = fused(_Tracer(module, dtype).steps(inputs, tuple(axes)))
    return Program(module, *_divided(steps))


class _Tracer:
    """A run of a graph on the unperturbed input, which recognises its operations on the way.

    Attributes
    ----------
    constants : values of the nodes that do not depend on the input.
    made : steps of those that do.
    parts : of nodes that split a tensor: the node that is split, and where.
    """

    def __init__(self, module: fx.GraphModule, dtype: torch.dtype) -> None:
        self.module = module
        self.dtype = dtype
        self.constants: dict[fx.Node, Value] = {}
        self.made: dict[fx.Node, Step] = {}
        self.parts: dict[fx.Node, tuple[fx.Node, TracedParts]] = {}

    def steps(self, inputs: torch.Tensor, axes: tuple[int, ...]) -> list[Step]:
        """Return the steps that the output needs, in running order."""
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                source = NetworkInput(channels_last(inputs, axes), axes)
                self.made[node] = Step(node.name, source, [])
            elif node.op == "output":
                return needed(list(self.made.values()), self.made[node.args[0]])
            elif _is_fixed(node) and node.args[0] in self.made:
                self.constants[node] = getattr(self.made[node.args[0]].base, node.args[1])
            elif any(n in self.made for n in node.all_input_nodes):
                self.made[node] = self._step(node)
            else:
                self.constants[node] = self._native(node, [])()
        raise ValueError("the graph has no output")

    def _step(self, node: fx.Node) -> Step:
        """Return the step of a node that depends on the input."""
        before = [n for n in node.all_input_nodes if n in self.made]
        native = self._native(node, before)
        values = [self.made[n].base for n in before]
        base, work = counted(native, values, self._called(node))
        steps = [self.made[n] for n in before]
        from_shapes = all(isinstance(step.operation, FromShapes) for step in steps)
        if from_shapes or _is_shape(node) or not (_has_tensor(values) and _has_tensor(base)):
            return Step(node.name, FromShapes(base, native), steps)
        operation = self._recognised(node, Call(base, native, self.dtype))
        if operation is None:
            return Step(node.name, WholeOutput(base, native), steps, work)
        operation.base = channels_last(operation.base, operation.axes)
        first = node.args[0]
        if isinstance(first, fx.Node) and first in self.parts:
            # A part is cut out of what was split, so that the split itself need not be run.
            steps = [self.made[self.parts[first][0]]]
        inputs = [step for step in steps if isinstance(step.base, torch.Tensor)]
        return Step(node.name, operation, inputs, work)

    def _called(self, node: fx.Node) -> nn.Module | None:
        return self.module.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _recognised(self, node: fx.Node, call: Call) -> Operation | None:
        """Return the operation on boxes; None where it is unknown or needs whole outputs."""
        name: str = getattr(node.target, "__name__", str(node.target)).split(".")[0]
        extra: tuple[object, ...] = ()
        if node.op == "call_module":
            name, extra = as_function(self.module.get_submodule(str(node.target)))
        recognise = RECOGNISED.get(name)
        if recognise is None or any(self._is_opaque(n) for n in node.all_input_nodes):
            return None
        args = (*fx.node.map_arg(node.args, self._known), *extra)
        kwargs = cast(dict[str, Any], fx.node.map_arg(node.kwargs, self._known))
        try:
            inspect.signature(recognise).bind(call, *args, **kwargs)
        except TypeError:  # an argument that we do not know
            return None
        if not any(isinstance(each, TracedInput | TracedParts) for each in _leaves(args)):
            return None
        found = recognise(call, *args, **kwargs)
        if not isinstance(found, TracedParts):
            return found
        self.parts[node] = (node.all_input_nodes[0], found)
        return None

    def _is_opaque(self, node: fx.Node) -> bool:
        """Return whether a node gives what no recogniser can take.

        Either several values of which we know no more, or a tensor that was made of sizes
        (`torch.arange(x.size(1))`): it is no box, and no constant, as it may depend on the number
        of draws.
        """
        if node not in self.made or node in self.parts:
            return False
        step = self.made[node]
        return isinstance(step.operation, FromShapes) == isinstance(step.base, torch.Tensor)

    def _known(self, node: fx.Node) -> Any:
        """Return a node as recognisers take it."""
        if node not in self.made:
            return self.constants[node]
        step = self.made[node]
        if isinstance(step.operation, FromShapes):
            return step.base
        if node in self.parts:
            return self.parts[node][1]
        return TracedInput(step.tensor, step.axes, node.name)

    def _native(self, node: fx.Node, before: list[fx.Node]) -> Native:
        """Return the node's own operation, as a function of the nodes that depend on the input."""
        own = self._own(node)

        def native(*values: Value) -> Any:
            given = dict(zip(before, values, strict=True))

            def value(n: fx.Node) -> Any:
                return given[n] if n in given else self.constants[n]

            return own(*fx.node.map_arg(node.args, value), **fx.node.map_arg(node.kwargs, value))

        return native

    def _own(self, node: fx.Node) -> Native:
        """Return the node's own operation, as a function of all its arguments."""
        if node.op == "get_attr":
            value = self.module
            for name in str(node.target).split("."):
                value = getattr(value, name)
            return lambda: value
        if node.op == "call_module":
            return self.module.get_submodule(str(node.target))
        if node.op == "call_method":
            return lambda first, *args, **kwargs: getattr(first, str(node.target))(*args, **kwargs)
        return cast(Callable[..., Any], node.target)


def _is_shape(node: fx.Node) -> bool:
    return node.op == "call_method" and node.target in _SHAPE_METHODS


def _is_fixed(node: fx.Node) -> bool:
    return node.target is getattr and len(node.args) > 1 and node.args[1] in _FIXED


def _has_tensor(value: Value) -> bool:
    return any(isinstance(each, torch.Tensor) for each in _leaves(value))


def _leaves(value: object) -> Iterator[object]:
    """Yield what nested lists and tuples hold."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _divided(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """Return body and tail: cut at the first node of features that everything goes through."""
    for number, step in enumerate(steps[1:], start=1):
        if step.axes or not isinstance(step.base, torch.Tensor) or step.base.ndim != 2:
            continue
        before = {id(each) for each in steps[:number]}
        later = [each for after in steps[number + 1 :] for each in after.inputs]
        if not any(id(each) in before for each in later):
            return steps[: number + 1], steps[number + 1 :]
    return steps, []
