"""A linear network for pictures of 8×8 pixels, as an ONNX file."""

import numpy as np


def write_onnx(path, metadata=None, classes=3):
    import onnx
    from onnx import helper

    weights = np.random.default_rng(0).normal(size=(3 * 8 * 8, classes)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["data"], ["flat"], name="flat"),
            helper.make_node("Gemm", ["flat", "weights"], ["score"], name="score"),
            helper.make_node("Softmax", ["score"], ["prob"], name="prob"),
        ],
        "net",
        [helper.make_tensor_value_info("data", 1, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("prob", 1, ["N", classes])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(proto, metadata or {})
    onnx.save(proto, path)
    return path
