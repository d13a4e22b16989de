"""A network's graph, simplified: nothing works in place, and batch normalisation is folded away."""

import copy
import operator
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from preddiff.engines.incremental.compile.aliases import SharedMemoryError, changes
from preddiff.engines.incremental.compile.recognise.modules import as_function
from preddiff.engines.incremental.execute.convolution import CONVOLUTIONS

_NAMES = ("conv1d", "conv2d", "conv3d")
_OUT_OF_PLACE: dict[object, Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}


def simplified(part: fx.GraphModule, inputs: torch.Tensor) -> fx.GraphModule:
    """Return a copy that computes the same; its weights are shared where they are not folded.

    Modules of other packages that fx can trace through (a converter's concatenation, say) are
    replaced by the functions that they call.

    Parameters
    ----------
    inputs : (1, ...), on which it is seen what works in place.

    Raises
    ------
    SharedMemoryError
        If something works in place that cannot be replaced by what does not.
    """
    try:
        result = fx.symbolic_trace(part)
    except Exception:  # what fx cannot trace stays as it is, and is run whole
        result = fx.GraphModule(part, copy.deepcopy(part.graph))
    _work_out_of_place(result, inputs)
    _reshape_any_memory(result)
    _fold_normalisation(result)
    result.graph.eliminate_dead_code()
    result.recompile()
    return result.eval()


class _Weighted(NamedTuple):
    """A convolution: weight, bias, and its stride, padding, dilation and groups."""

    weight: torch.Tensor
    bias: torch.Tensor | None
    settings: tuple[Any, ...]


def _work_out_of_place(module: fx.GraphModule, inputs: torch.Tensor) -> None:
    """Replace operations that work in place by ones that return the result.

    What later operations see of a value that was changed in place is the result of the change, so
    they are made to take that instead. The base of every node can then be kept: nothing overwrites
    it, neither while tracing nor, later, while boxes are compared with it.
    """
    found = changes(module, inputs)
    stands_for: dict[fx.Node, fx.Node] = {}
    for change in found:
        node = change.node
        if not _made_out_of_place(module, node):
            _make_change_a_copy(module, node)
        for each in (cast(fx.Node, node.args[0]), *change.same):
            changed = each
            while changed in stands_for:
                changed = stands_for[changed]
            if changed is node:  # another name of what this change has replaced already
                continue
            for user in _after(node):
                user.replace_input_with(changed, node)
            stands_for[changed] = node
    module.recompile()
    if found and changes(module, inputs):
        raise SharedMemoryError("an operation works in place that cannot be kept from it")


def _after(node: fx.Node) -> list[fx.Node]:
    """Return the nodes that run after one."""
    every = list(node.graph.nodes)
    return every[every.index(node) + 1 :]


def _make_change_a_copy(module: fx.GraphModule, node: fx.Node) -> None:
    """Replace any operation that changes its first argument by one that changes a copy of it."""
    name = str(node.target)
    work: Callable[..., Any]
    if node.op == "call_module":
        work = module.get_submodule(name)
        name = type(work).__name__
    elif node.op == "call_method":
        work = getattr(torch.Tensor, name)
    else:
        work = cast(Callable[..., Any], node.target)
        name = getattr(work, "__name__", name).split(".")[0]

    def on_copy(first: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        changed = first.clone()
        work(changed, *args, **kwargs)
        return changed

    on_copy.__name__ = name.rstrip("_")
    node.op, node.target = "call_function", on_copy


def _reshape_any_memory(module: fx.GraphModule) -> None:
    """Replace `view`, which wants values in a certain order in memory, by `reshape`."""
    for node in module.graph.nodes:
        if node.op == "call_method" and node.target == "view":
            node.target = "reshape"
        elif node.target is torch.ops.aten.view.default:
            node.target = torch.reshape


def _made_out_of_place(module: fx.GraphModule, node: fx.Node) -> bool:
    """Return whether a node worked in place; it no longer does."""
    if node.op == "call_module":
        called = module.get_submodule(str(node.target))
        if not getattr(called, "inplace", False):
            return False
        replacement = copy.copy(called)
        replacement.inplace = False  # type: ignore[assignment]
        node.target = _added(module, node, replacement)
        return True
    if node.kwargs.get("inplace"):
        node.kwargs = {**node.kwargs, "inplace": False}
        return True
    if node.op == "call_function" and node.target in _OUT_OF_PLACE:
        node.target = _OUT_OF_PLACE[node.target]
        return True
    name = str(node.target)
    known = name.endswith("_") and hasattr(torch.Tensor, name[:-1])
    if node.op == "call_method" and known and not name.startswith("_"):
        node.target = name[:-1]
        return True
    name = getattr(node.target, "__name__", "").split(".")[0]
    if node.op == "call_function" and name.endswith("_") and hasattr(torch, name[:-1]):
        node.target = getattr(torch, name[:-1])
        return True
    return False


def _fold_normalisation(module: fx.GraphModule) -> None:
    """Make one of a convolution and a batch normalisation, where nothing else takes the former.

    With known statistics the normalisation is y = (x - mean) · s + bias, s = weight / √(var + eps),
    so the convolution's weights are multiplied by s, per output channel, and its bias becomes
    (bias - mean) · s + bias of the normalisation. Whatever is done on boxes is then done once.
    """
    for node in list(module.graph.nodes):
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or len(before.users) != 1:
            continue
        normalisation = _normalisation(module, node)
        found = _convolution(module, before)
        if normalisation is None or found is None:
            continue
        mean, variance = normalisation.running_mean, normalisation.running_var
        if mean is None or variance is None:  # it would take those of every batch
            continue
        with torch.no_grad():
            folded = fuse_conv_bn_weights(
                found.weight,
                found.bias,
                mean,
                variance,
                normalisation.eps,
                normalisation.weight,
                normalisation.bias,
            )
        with module.graph.inserting_before(node):
            values = [
                _attribute(module, f"{name}_of_{before.name}", value)
                for name, value in zip(("weight", "bias"), folded, strict=True)
            ]
            arguments = (before.args[0], *values, *found.settings)
            result = module.graph.call_function(CONVOLUTIONS[found.weight.ndim], arguments)
        node.replace_all_uses_with(result)
        module.graph.erase_node(node)
        module.graph.erase_node(before)


def _normalisation(module: fx.GraphModule, node: fx.Node) -> _BatchNorm | None:
    """Return the batch normalisation that a node is, or None."""
    if node.op != "call_module":
        return None
    called = module.get_submodule(str(node.target))
    return called if isinstance(called, _BatchNorm) else None


def _convolution(module: fx.GraphModule, node: fx.Node) -> "_Weighted | None":
    """Return what a convolution is made of, if a node is one whose weights are known."""
    if node.op == "call_module":
        name, extra = as_function(module.get_submodule(str(node.target)))
        return _Weighted(extra[0], extra[1], extra[2:]) if name in _NAMES else None
    if node.op != "call_function" or getattr(node.target, "__name__", "") not in _NAMES:
        return None
    defaults = {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    given = dict(zip(("input", "weight", *defaults), node.args, strict=False))
    said: dict[str, Any] = {**defaults, **given, **node.kwargs}
    values = [said[name] for name in ("weight", "bias")]
    if any(isinstance(v, fx.Node) and v.op != "get_attr" for v in values):
        return None
    weight, bias = (v and operator.attrgetter(str(v.target))(module) for v in values)
    settings = tuple(said[name] for name in ("stride", "padding", "dilation", "groups"))
    return _Weighted(weight, bias, settings)


def _attribute(module: fx.GraphModule, name: str, value: torch.Tensor) -> fx.Node:
    module.register_buffer(name, value.detach())
    return module.graph.get_attr(name)


def _added(module: fx.GraphModule, node: fx.Node, new: nn.Module) -> str:
    """Add a module to those of the network, and return its name."""
    name = f"{node.name}_out_of_place"
    module.add_submodule(name, new)
    return name
