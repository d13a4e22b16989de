"""The end of a network: the operations between its logits and what it returns."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import fx

from preddiff.models.networks.graph import Graph

Link = Literal["softmax", "sigmoid"]
"""Functions that make probabilities of logits."""

_SOFTMAX = {"softmax", "Softmax", "Softmax2d", "OnnxSoftmaxV1V11"}
_SIGMOID = {"sigmoid", "sigmoid_", "Sigmoid", "expit", "special_expit"}
_LOG = {"log_softmax": "softmax", "LogSoftmax": "softmax"} | dict.fromkeys(
    ("logsigmoid", "LogSigmoid", "log_sigmoid"), "sigmoid"
)
_EXP = {"exp", "exp_"}
_HARD = {"hardsigmoid", "hardsigmoid_", "Hardsigmoid", "OnnxHardSigmoid"}
# Operations that hand on the numbers that they get, or some of them.
_CASTS = {"float", "double", "half", "bfloat16", "to", "type", "type_as", "OnnxCast"}
_MOVES = {
    *("view", "reshape", "flatten", "Flatten", "unflatten", "Unflatten", "squeeze", "unsqueeze"),
    *("contiguous", "clone", "detach", "cpu", "Identity", "Dropout", "dropout"),
    *("getitem", "select", "narrow", "index_select", "transpose", "permute"),
    *("OnnxReshape", "OnnxFlatten", "OnnxTranspose", "OnnxIdentity", "OnnxDropoutDynamic"),
    *("OnnxSqueezeStaticAxes", "OnnxSqueezeDynamicAxes"),
    *("OnnxUnsqueezeStaticAxes", "OnnxUnsqueezeDynamicAxes"),
    *("OnnxSlice", "OnnxSliceV9", "OnnxGather"),
}
_CLAMPS = {"clamp", "clamp_", "clip", "clip_", "clamp_min", "clamp_max", "Hardtanh", "hardtanh"}
# Arithmetic with a number leaves logits logits.
_SCALINGS = {"add", "sub", "mul", "truediv", "div", "neg", "add_", "mul_", "div_", "sub_"}


@dataclass(frozen=True)
class Ending:
    """The operations after a network's logits.

    Attributes
    ----------
    trunk : the network without them.
    link : what makes probabilities of the logits.
    numbered : the network with numbers from 0 in the place of a softmax's probabilities: shows
        which of them it returns. None for a sigmoid, whose trunk has all that follows.
    low, high : what the probabilities are clamped to.
    is_log : true if the network returns the logarithm of its probabilities.
    """

    trunk: fx.GraphModule
    link: Link
    numbered: fx.GraphModule | None
    low: float
    high: float
    is_log: bool


def read(graph: Graph) -> Ending | None:
    """Return what follows the logits of a network; None if it ends in neither of the links."""
    passed, node = _passed(graph)
    name = graph.operation(node)
    logarithm = False
    if name in _EXP and (inner := _source(node)) and graph.operation(inner) in _LOG:
        node, name = inner, _LOG[graph.operation(inner)]
    elif name in _LOG:
        name, logarithm = _LOG[name], True
    bounds = [_bounds(graph, each) for each in passed if graph.operation(each) in _CLAMPS]
    if name not in _SOFTMAX | _SIGMOID or None in bounds or (logarithm and bounds):
        return None
    low = max((each[0] for each in bounds if each), default=0.0)
    high = min((each[1] for each in bounds if each), default=1.0)
    skipped = [each for each in passed if graph.operation(each) in _CLAMPS | _CASTS]
    logits = _source(node)
    if logits is None:
        return None
    if name in _SOFTMAX:
        # Probabilities that are left out are part of the softmax: its logits are all kept.
        numbered = _instead(graph, node, skipped, _numbers)
        trunk = graph.upto(logits, user=node)
        return Ending(trunk, "softmax", numbered, low, high, logarithm)
    # A sigmoid looks at one number at a time: what moves or leaves out probabilities may as well
    # do so with logits.
    return Ending(_instead(graph, node, skipped, None), "sigmoid", None, low, high, logarithm)


def gives_logits(graph: Graph) -> bool:
    """Return whether weights give the output, with nothing after them that could limit it."""
    node = _passed(graph, {*_MOVES, *_CASTS, *_SCALINGS})[1]
    if node.op == "call_module":
        module = graph.module.get_submodule(str(node.target))
        return any(p.ndim > 1 for p in module.parameters(recurse=False)) or hasattr(module, "_gemm")
    return any(
        each.op == "get_attr" and graph.operation(node) not in {"batch_norm", "layer_norm"}
        for each in node.all_input_nodes
    )


def gives_probabilities(graph: Graph) -> bool:
    """Return whether the output is a hard sigmoid's, which has no logits."""
    return graph.operation(_passed(graph)[1]) in _HARD


def flattened(module: fx.GraphModule) -> fx.GraphModule:
    """Return a module whose output (n, class, 1, ...) is (n, class)."""
    graph = fx.Graph()
    result = graph.graph_copy(module.graph, {})
    graph.output(graph.call_function(torch.flatten, (result, 1)))
    return fx.GraphModule(module, graph).eval()


def _passed(graph: Graph, names: set[str] | None = None) -> tuple[list[fx.Node], fx.Node]:
    """Return the last operations that only hand on numbers, and the one before them."""
    names = names or {*_MOVES, *_CASTS, *_CLAMPS}
    node = graph.outputs[0]
    passed: list[fx.Node] = []
    while graph.operation(node) in names and (source := _source(node)) is not None:
        if graph.operation(node) in _SCALINGS and not _with_number(node):
            break
        passed.append(node)
        node = source
    return passed, node


def _with_number(node: fx.Node) -> bool:
    return all(isinstance(each, fx.Node) is (i == 0) for i, each in enumerate(node.args))


def _source(node: fx.Node) -> fx.Node | None:
    """Return the node whose numbers a node takes."""
    first = node.args[0] if node.args else node.kwargs.get("input")
    return first if isinstance(first, fx.Node) else None


def _bounds(graph: Graph, node: fx.Node) -> tuple[float, float] | None:
    """Return what a node clamps to; None where only a run would show it."""
    if node.op == "call_module":
        module = graph.module.get_submodule(str(node.target))
        given: list[object] = [getattr(module, "min_val", None), getattr(module, "max_val", None)]
    else:
        name = graph.operation(node)
        before: list[object] = [None] if name == "clamp_max" else []
        given = [*before, *node.args[1:], None, None][:2]
        for i, names in enumerate((("min", "min_val"), ("max", "max_val"))):
            given[i] = next((node.kwargs[key] for key in names if key in node.kwargs), given[i])
    if not all(each is None or isinstance(each, int | float) for each in given):
        return None
    low, high = given
    return (
        -math.inf if low is None else float(low),  # type: ignore[arg-type]
        math.inf if high is None else float(high),  # type: ignore[arg-type]
    )


def _numbers(values: torch.Tensor) -> torch.Tensor:
    """Return the numbers 0, 1, ... along the axis of the classes."""
    column = torch.arange(values.shape[1], device=values.device, dtype=torch.float64)
    return column.reshape(1, -1, *(1,) * (values.ndim - 2)).expand(values.shape)


def _instead(
    graph: Graph,
    link: fx.Node,
    skipped: list[fx.Node],
    function: Callable[[torch.Tensor], torch.Tensor] | None,
) -> fx.GraphModule:
    """Return a network with something else, or nothing, in the place of its link."""
    copies: dict[fx.Node, fx.Node] = {}
    changed = fx.Graph()
    result = changed.graph_copy(graph.module.graph, copies)
    changed.output(result)
    for node in (link, *skipped):
        copy = copies[node]
        source = _source(copy)
        if node is link and function is not None:
            with changed.inserting_before(copy):
                source = changed.call_function(function, (source,))
        copy.replace_all_uses_with(source)  # type: ignore[arg-type]
        changed.erase_node(copy)
    module = fx.GraphModule(graph.module, changed)
    last = next(node for node in changed.nodes if node.op == "output")
    shortened = Graph(module)
    return shortened.upto(last.all_input_nodes[0])
