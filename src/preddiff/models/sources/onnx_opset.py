"""The operations of newer ONNX files, said as opset 17 says them, which the converter knows."""

import math
from typing import Any

import numpy as np

Proto = Any
"""A message of onnx; onnx is imported when a file is read."""

OPSET = 17

_REDUCTIONS = {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"}
# Attributes that came with a newer version, and that say no more than the older one does where they
# have their default. What they say otherwise shows when the outputs are held against onnxruntime's.
_NEWER = {
    "Reshape": {"allowzero"},
    "Split": {"num_outputs"},
    "Resize": {"antialias", "keep_aspect_ratio_policy", "axes"},
    "AveragePool": {"dilations"},
    "Cast": {"saturate"},
}


def older(proto: Proto) -> Proto:
    """Return a copy of an onnx.ModelProto in opset 17, as far as it can be said in it."""
    result = type(proto)()
    result.CopyFrom(proto)
    graph = result.graph
    constants = _constants(graph)
    nodes: list[Proto] = []
    for node in list(graph.node):
        drop = _NEWER.get(node.op_type, set())
        kept = [each for each in node.attribute if each.name not in drop]
        del node.attribute[:]
        node.attribute.extend(kept)
        if node.op_type in _REDUCTIONS:
            _axes_as_attribute(node, constants)
        nodes.extend(_in_parts(node) if node.op_type in _PARTS else [node])
    del graph.node[:]
    graph.node.extend(nodes)
    for imported in result.opset_import:
        if imported.domain in {"", "ai.onnx"}:
            imported.version = min(imported.version, OPSET)
    return result


def _constants(graph: Proto) -> dict[str, list[int]]:
    """Return the integers that inputs of operations may be."""
    from onnx import numpy_helper

    found = {each.name: each for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = node.attribute[0].t
    arrays = {name: numpy_helper.to_array(each) for name, each in found.items() if each.dims != [0]}
    return {
        name: np.atleast_1d(array).tolist()
        for name, array in arrays.items()
        if array.dtype == np.int64
    }


def _axes_as_attribute(node: Proto, constants: dict[str, list[int]]) -> None:
    """Say the axes of a reduction as an attribute, where they are an input."""
    from onnx import helper

    if len(node.input) < 2 or node.input[1] not in constants:
        return
    node.attribute.append(helper.make_attribute("axes", constants[node.input[1]]))
    kept = [each for each in node.attribute if each.name != "noop_with_empty_axes"]
    del node.attribute[:], node.input[1:]
    node.attribute.extend(kept)


def _in_parts(node: Proto) -> list[Proto]:
    """Return the operations that an operation is made of."""
    x, y = node.input[0], node.output[0]
    approximate = any(each.s == b"tanh" for each in node.attribute)
    return _PARTS[node.op_type](x, y, approximate)


def _gelu(x: str, y: str, approximate: bool) -> list[Proto]:
    """x (1 + erf(x / √2)) / 2; or x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2."""
    steps = [_constant(f"{y}/half", 0.5), _constant(f"{y}/one", 1.0)]
    if approximate:
        steps += [
            *(_constant(f"{y}/cubic", 0.044715), _constant(f"{y}/root", math.sqrt(2 / math.pi))),
            *(_step("Mul", [x, x], f"{y}/x2"), _step("Mul", [f"{y}/x2", x], f"{y}/x3")),
            _step("Mul", [f"{y}/x3", f"{y}/cubic"], f"{y}/scaled3"),
            _step("Add", [x, f"{y}/scaled3"], f"{y}/sum"),
            _step("Mul", [f"{y}/sum", f"{y}/root"], f"{y}/argument"),
            _step("Tanh", [f"{y}/argument"], f"{y}/bend"),
        ]
    else:
        steps += [
            _constant(f"{y}/root", math.sqrt(0.5)),
            _step("Mul", [x, f"{y}/root"], f"{y}/argument"),
            _step("Erf", [f"{y}/argument"], f"{y}/bend"),
        ]
    return [
        *steps,
        _step("Add", [f"{y}/bend", f"{y}/one"], f"{y}/gate"),
        _step("Mul", [x, f"{y}/gate"], f"{y}/twice"),
        _step("Mul", [f"{y}/twice", f"{y}/half"], y),
    ]


def _mish(x: str, y: str, approximate: bool) -> list[Proto]:  # noqa: ARG001
    """x tanh(log(1 + exp(x)))."""
    return [
        _step("Softplus", [x], f"{y}/softplus"),
        _step("Tanh", [f"{y}/softplus"], f"{y}/gate"),
        _step("Mul", [x, f"{y}/gate"], y),
    ]


_PARTS = {"Gelu": _gelu, "Mish": _mish}


def _step(operation: str, inputs: list[str], output: str) -> Proto:
    from onnx import helper

    return helper.make_node(operation, inputs, [output], name=output)


def _constant(name: str, value: float) -> Proto:
    from onnx import TensorProto, helper

    tensor = helper.make_tensor(name, TensorProto.FLOAT, [], [value])
    return helper.make_node("Constant", [], [name], name=name, value=tensor)
