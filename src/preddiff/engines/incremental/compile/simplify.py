"""A network's graph made simple: nothing works in place, batch normalisation is folded away."""

import copy
import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from preddiff.engines.incremental.compile.recognise import arguments

_FUNCTIONS = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
_NAMES = ("conv1d", "conv2d", "conv3d")
_OUT_OF_PLACE: dict[Any, Any] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}


def simplified(part: fx.GraphModule) -> fx.GraphModule:
    """A copy that computes the same; its weights are shared where they are not folded.

    Modules of other packages that fx can trace through (a converter's concatenation, say) are
    replaced by the functions that they call.
    """
    try:
        result = fx.symbolic_trace(part)
    except Exception:  # what fx cannot trace stays as it is, and is run whole
        result = fx.GraphModule(part, copy.deepcopy(part.graph))
    _work_out_of_place(result)
    _reshape_any_memory(result)
    _fold_normalisation(result)
    result.graph.eliminate_dead_code()
    result.recompile()
    return result.eval()


def _work_out_of_place(module: fx.GraphModule) -> None:
    """What later operations see of a value changed in place is the result of the change."""
    for node in list(module.graph.nodes):
        if not _made_out_of_place(module, node):
            continue
        changed = node.args[0]
        later = False
        for user in list(module.graph.nodes):
            if later:
                user.replace_input_with(changed, node)
            later = later or user is node


def _reshape_any_memory(module: fx.GraphModule) -> None:
    """`view` wants values in a certain order in memory; `reshape` does the same without."""
    for node in module.graph.nodes:
        if node.op == "call_method" and node.target == "view":
            node.target = "reshape"
        elif node.target is torch.ops.aten.view.default:
            node.target = torch.reshape


def _made_out_of_place(module: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node worked in place; it no longer does."""
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
    if node.op == "call_method" and name.endswith("_") and not name.startswith("_"):
        node.target = name.rstrip("_")
        return True
    name = getattr(node.target, "__name__", "").split(".")[0]
    if node.op == "call_function" and name.endswith("_") and hasattr(torch, name[:-1]):
        node.target = getattr(torch, name[:-1])
        return True
    return False


def _fold_normalisation(module: fx.GraphModule) -> None:
    """Convolution and batch normalisation in one, where nobody else wants the convolution."""
    for node in list(module.graph.nodes):
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or len(before.users) != 1:
            continue
        normalisation = _normalisation(module, node)
        found = _convolution(module, before)
        if normalisation is None or found is None:
            continue
        weight, bias, *settings = found
        with torch.no_grad():
            folded = fuse_conv_bn_weights(
                weight,
                bias,
                normalisation.running_mean,
                normalisation.running_var,
                normalisation.eps,
                normalisation.weight,
                normalisation.bias,
            )
        with module.graph.inserting_before(node):
            values = [
                _attribute(module, f"{name}_of_{before.name}", value)
                for name, value in zip(("weight", "bias"), folded, strict=True)
            ]
            convolve = _FUNCTIONS[weight.ndim]
            result = module.graph.call_function(convolve, (before.args[0], *values, *settings))
        node.replace_all_uses_with(result)
        module.graph.erase_node(node)
        module.graph.erase_node(before)


def _normalisation(module: fx.GraphModule, node: fx.Node) -> Any:
    """The batch normalisation that a node is, by statistics that are known; else None."""
    if node.op != "call_module":
        return None
    called: Any = module.get_submodule(str(node.target))
    return called if isinstance(called, _BatchNorm) and called.running_mean is not None else None


def _convolution(module: fx.GraphModule, node: fx.Node) -> tuple[Any, ...] | None:
    """Weight, bias, stride, padding, dilation and groups of a convolution, else None."""
    if node.op == "call_module":
        name, extra = arguments(module.get_submodule(str(node.target)))
        return extra if name in _NAMES else None
    if node.op != "call_function" or getattr(node.target, "__name__", "") not in _NAMES:
        return None
    defaults = {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    given = dict(zip(("input", "weight", *defaults), node.args, strict=False))
    said: dict[str, Any] = {**defaults, **given, **node.kwargs}
    values = [said[name] for name in ("weight", "bias")]
    if any(isinstance(v, fx.Node) and v.op != "get_attr" for v in values):
        return None
    weight, bias = (v and operator.attrgetter(str(v.target))(module) for v in values)
    return weight, bias, *(said[name] for name in ("stride", "padding", "dilation", "groups"))


def _attribute(module: fx.GraphModule, name: str, value: torch.Tensor) -> fx.Node:
    module.register_buffer(name, value.detach())
    return module.graph.get_attr(name)


def _added(module: fx.GraphModule, node: fx.Node, new: nn.Module) -> str:
    """The name under which a new module is put beside the old ones."""
    name = f"{node.name}_out_of_place"
    module.add_submodule(name, new)
    return name
