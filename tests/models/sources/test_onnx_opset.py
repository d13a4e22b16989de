"""Operations of newer opsets said in those of opset 17: onnxruntime gives the same for both."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from preddiff.models.sources.onnx_opset import OPSET, older
from preddiff.models.sources.onnxruntime import runtime

AXES = numpy_helper.from_array(np.array([2, 3]), "axes")


def model(nodes, initializers=(), opset=20, lengths=(None,) * 4):
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("x", 1, ["N", 4, 6, 6])],
        [helper.make_tensor_value_info("y", 1, lengths)], list(initializers),
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def values(proto, x):
    onnx.checker.check_model(proto)
    session = runtime().InferenceSession(proto.SerializeToString())
    return session.run(None, {"x": x})[0]


CASES = {
    "gelu": model([helper.make_node("Gelu", ["x"], ["y"])]),
    "gelu by tanh": model([helper.make_node("Gelu", ["x"], ["y"], approximate="tanh")]),
    "mish": model([helper.make_node("Mish", ["x"], ["y"])]),
    "mean": model([helper.make_node("ReduceMean", ["x", "axes"], ["y"])], [AXES]),
    "max, axes gone": model(
        [helper.make_node("ReduceMax", ["x", "axes"], ["y"], keepdims=0)],
        [AXES],
        lengths=(None,) * 2,
    ),
    "mean, axes of a constant": model(
        [
            helper.make_node("Constant", [], ["axes"], value=AXES),
            helper.make_node("ReduceMean", ["x", "axes"], ["y"], noop_with_empty_axes=1),
        ]
    ),
    "mean of all": model([helper.make_node("ReduceMean", ["x"], ["y"])]),
    "reshape": model(
        [helper.make_node("Reshape", ["x", "shape"], ["y"], allowzero=0)],
        [numpy_helper.from_array(np.array([0, -1]), "shape")],
        lengths=(None,) * 2,
    ),
    "pool": model(
        [helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], dilations=[1, 1])]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_older_file_gives_the_same(name, rng):
    x = rng.normal(size=(2, 4, 6, 6)).astype(np.float32)
    proto = CASES[name]
    before = proto.SerializeToString(deterministic=True)
    result = older(proto)
    assert [each.version for each in result.opset_import] == [OPSET]
    np.testing.assert_allclose(values(result, x), values(proto, x), rtol=1e-5, atol=1e-6)
    assert proto.SerializeToString(deterministic=True) == before


def test_an_older_file_stays_as_it_is():
    proto = model([helper.make_node("Relu", ["x"], ["y"])], opset=13)
    assert older(proto) == proto
