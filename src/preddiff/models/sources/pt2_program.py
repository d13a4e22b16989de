"""The operations of a program of torch.export, as a module: those that compute, and no others."""

import json
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypedDict, cast

import torch
from torch import fx, nn

from preddiff.errors import ModelError

DTYPES = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.half,
    7: torch.float32, 8: torch.float64, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip
"""Types of numbers by their number in torch's schema, `torch/_export/serde/schema.py`."""

_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}
_STRIDED = 7
_KEYWORD = 2
_TENSORS = re.compile(r"torch\.ops\.(aten|torchvision)\.(\w+)\.(\w+)")
_WITH_EFFECTS = {"from_file", "save", "_print", "warn"}  # operations that read, write or print
_OF_NUMBERS = {
    **{
        f"_operator.{name}": cast(Callable[..., object], getattr(operator, name))
        for name in (
            *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "pos"),
            *("eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "lshift", "rshift"),
        )
    },
    **{
        f"torch.sym_{name}": cast(Callable[..., object], getattr(torch, f"sym_{name}"))
        for name in ("int", "float", "max", "min", "not", "ite", "sqrt")
    },
    "math.trunc": math.trunc,
}

Entry = Mapping[str, object]
"""A value of the schema: one key, which says of which kind it is, and what it is."""


class ExportedOperation(TypedDict):
    """An operation, what it gets, and the names of what it gives."""

    target: str
    inputs: list[dict[str, object]]
    outputs: list[Entry]


class ExportedGraph(TypedDict):
    """A graph: all operations in running order."""

    nodes: list[ExportedOperation]
    outputs: list[Entry]
    tensor_values: dict[str, dict[str, list[dict[str, int]]]]


class ExportedSignature(TypedDict):
    """Names of what goes in and comes out, and which of that are weights."""

    input_specs: list[dict[str, dict[str, object]]]
    output_specs: list[Entry]


class ExportedProgram(TypedDict):
    """A graph and its signature."""

    graph: ExportedGraph
    signature: ExportedSignature
    module_call_graph: list[dict[str, dict[str, str]]]


def program(
    described: ExportedProgram, tensors: Mapping[str, torch.Tensor]
) -> tuple[fx.GraphModule, tuple[int, ...] | None]:
    """Return a program as a module, and the shape of its input without the first axis, if fixed.

    Parameters
    ----------
    described : as in the file.
    tensors : weights and constants by name.

    Raises
    ------
    ModelError
        If it has operations beyond those of torch and torchvision, or does more than to compute.
    """
    graph, root = fx.Graph(), nn.Module()
    inputs = graph.placeholder("inputs")
    values: dict[str, fx.Node] = {}
    shape = None
    for spec in described["signature"]["input_specs"]:
        ((kind, entry),) = spec.items()
        name = _name(cast(Entry, entry["arg"]))
        if kind == "user_input" and inputs not in values.values():
            values[name] = inputs
            shape = _shape(described["graph"]["tensor_values"][name]["sizes"])
        elif kind in {"parameter", "buffer", "tensor_constant"}:
            path = str(entry[f"{kind}_name"])
            _put(root, path, tensors[path], is_weight=kind == "parameter")
            values[name] = graph.get_attr(path)
        else:
            raise ModelError(
                f"a program with {kind.replace('_', ' ')}s: expected one input, a tensor"
            )
    for operation in described["graph"]["nodes"]:
        _add(graph, operation, values)
    if any("user_output" not in each for each in described["signature"]["output_specs"]):
        raise ModelError("a program that changes its own weights; export it in evaluation mode")
    returned = [_value(each, values) for each in described["graph"]["outputs"]]
    form = described["module_call_graph"][0]["signature"]["out_spec"]
    graph.output(_formed(json.loads(form)[1], iter(returned)))
    graph.lint()
    return fx.GraphModule(root, graph), shape


def _name(entry: Entry) -> str:
    """Return the name in {"name": …}, or in {"as_tensor": {"name": …}}."""
    return str(cast(Entry, entry.get("as_tensor", entry))["name"])


def _shape(sizes: Sequence[Mapping[str, int]]) -> tuple[int, ...] | None:
    batch = sizes[0].get("as_int", 1) if sizes else 0
    if batch != 1:
        raise ModelError(f"takes {batch} inputs at a time; export it for one, or for any number")
    if not all("as_int" in each for each in sizes[1:]):
        return None
    return tuple(int(each["as_int"]) for each in sizes[1:])


def _put(root: nn.Module, path: str, value: torch.Tensor, *, is_weight: bool) -> None:
    """Keep a weight at its path, in modules that are made as they are needed."""
    *parents, name = path.split(".")
    for each in parents:
        if _identifier(each) not in root._modules:
            root.add_module(each, nn.Module())
        root = cast(nn.Module, root._modules[each])
    if is_weight and value.is_floating_point():
        root.register_parameter(_identifier(name), nn.Parameter(value))
    else:
        root.register_buffer(_identifier(name), value)


def _identifier(name: str) -> str:
    """Return a name, which becomes code of torch.fx, if it is no more than that."""
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"a name {name!r:.80}")
    return name


def _add(graph: fx.Graph, operation: ExportedOperation, values: dict[str, fx.Node]) -> None:
    """Add an operation, and what it gives to the values; checks of the program itself give none."""
    if not operation["outputs"]:
        return
    arguments, named = [], {}
    for each in operation["inputs"]:
        value = _value(cast(Entry, each["arg"]), values)
        if each.get("kind") == _KEYWORD:
            named[_identifier(str(each["name"]))] = value
        else:
            arguments.append(value)
    node = graph.call_function(_function(operation["target"]), tuple(arguments), named)
    outputs = operation["outputs"]
    if len(outputs) > 1:
        several = [each.get("as_tensor") for each in outputs]
    else:
        several = cast(list[object], outputs[0].get("as_tensors"))
    if several is None:
        values[_given(outputs[0])] = node
        return
    for number, output in enumerate(several):
        if output is not None:
            item = graph.call_function(operator.getitem, (node, number))
            values[_name(cast(Entry, output))] = item


def _given(output: Entry) -> str:
    """Return the name of the one thing that an operation gives."""
    ((_, entry),) = output.items()
    of = cast(Entry, entry)
    return str(of["name"] if "name" in of else of["as_name"])


def _function(target: str) -> Callable[..., object]:
    """Return the function that computes an operation.

    Raises
    ------
    ModelError
        If it is none of tensors or of their lengths: other functions could do anything.
    """
    if target in _OF_NUMBERS:
        return _OF_NUMBERS[target]
    named = _TENSORS.fullmatch(target)
    if named is not None and named[2] not in _WITH_EFFECTS:
        packet = getattr(getattr(torch.ops, named[1]), named[2], None)
        found = getattr(packet, named[3], None)
        if isinstance(found, torch._ops.OpOverload):
            return found
    raise ModelError(
        f"operation {target!r:.80}: expected those of torch and torchvision that only compute"
    )


def _value(entry: Entry, values: Mapping[str, fx.Node]) -> fx.node.Argument:
    """Return an argument: a node, a number, or several."""
    ((kind, given),) = entry.items()
    if kind == "as_none":
        return None
    if kind in {"as_tensor", "as_optional_tensor"}:
        inner = cast(Entry, given)
        return None if "as_none" in inner else values[_name(inner)]
    if kind in {"as_tensors", "as_optional_tensors"}:
        several = cast(list[Entry], given)
        return [None if "as_none" in each else values[_name(each)] for each in several]
    if kind in {"as_sym_int", "as_sym_float", "as_sym_bool"}:
        return _number(cast(Entry, given), values)
    if kind in {"as_sym_ints", "as_sym_floats", "as_sym_bools"}:
        return [_number(each, values) for each in cast(list[Entry], given)]
    return _constant(kind, given)


def _number(entry: Entry, values: Mapping[str, fx.Node]) -> fx.node.Argument:
    """Return a length: that of a tensor, which a node gives, or a number."""
    ((kind, given),) = entry.items()
    return values[str(given)] if kind == "as_name" else _constant(kind, given)


_PLAIN: dict[str, Callable[..., fx.node.Argument]] = {
    "int": int, "float": float, "bool": bool, "string": str,
}  # fmt: skip


def _constant(kind: str, given: object) -> fx.node.Argument:
    plain = kind.removeprefix("as_")
    if plain in _PLAIN:
        return _PLAIN[plain](given)
    if plain.removesuffix("s") in _PLAIN:
        return [_PLAIN[plain.removesuffix("s")](each) for each in cast(list[object], given)]
    if kind == "as_scalar_type":
        return DTYPES[cast(int, given)]
    if kind == "as_memory_format":
        return _FORMATS[cast(int, given)]
    if kind == "as_layout" and given == _STRIDED:
        return torch.strided
    if kind == "as_device":
        return torch.device("cpu")
    raise ModelError(f"an argument of kind {kind!r:.80}: expected tensors and numbers")


def _formed(spec: Mapping[str, object], returned: Iterator[fx.node.Argument]) -> fx.node.Argument:
    """Return what a program returns in the form that it has: a mapping, a tuple, or one thing."""
    children = cast(list[Mapping[str, object]], spec["children_spec"])
    if spec["type"] is None:
        return next(returned)
    parts = [_formed(each, returned) for each in children]
    keys = json.loads(str(spec["context"]))
    named = isinstance(keys, list) and len(keys) == len(parts)
    if parts and named and all(isinstance(each, str) for each in keys):
        return dict(zip(keys, parts, strict=True))
    return tuple(parts)
