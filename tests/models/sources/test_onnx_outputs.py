"""ONNX files with several outputs, and with channels last, converted or by onnxruntime."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from preddiff import load_model
from preddiff.errors import EngineWarning, InputWarning, ModelError

CLASSES = {"main": 3, "aux": 5}


@pytest.fixture
def written(tmp_path, rng):
    """Returns a file of linear outputs over all values of one input, and their weights."""

    def make(shape, batch="N", kind=TensorProto.FLOAT):
        weights = {
            name: (rng.normal(size=(np.prod(shape), count)) / 10).astype(np.float32)
            for name, count in CLASSES.items()
        }
        dtype = np.float16 if kind == TensorProto.FLOAT16 else np.float32
        nodes = [helper.make_node("Flatten", ["data"], ["flat"])]
        nodes += [helper.make_node("MatMul", ["flat", f"w_{n}"], [n]) for n in CLASSES]
        nodes += [helper.make_node("ArgMax", ["main"], ["label"], axis=1)]
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("data", kind, [batch, *shape])],
            [
                helper.make_tensor_value_info("label", TensorProto.INT64, [batch, 1]),
                *(helper.make_tensor_value_info(n, kind, [batch, c]) for n, c in CLASSES.items()),
            ],
            [numpy_helper.from_array(v.astype(dtype), f"w_{n}") for n, v in weights.items()],
        )
        opsets = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "n.onnx")
        return tmp_path / "n.onnx", weights

    return make


def _softmax(x, weights):
    z = np.exp(x.reshape(len(x), -1).astype(np.float64) @ weights)
    return z / z.sum(1, keepdims=True)


@pytest.mark.parametrize("batch", ["N", 1])
@pytest.mark.filterwarnings("ignore:.*onnxruntime evaluates it in whole passes")
def test_an_output_is_taken_by_its_name_or_number(written, rng, batch):
    path, weights = written((3, 4, 5), batch)
    x = rng.random((2, 3, 4, 5), dtype=np.float32)
    for key in ("aux", 2, "2"):
        found = load_model(path, output_key=key).predict(x)
        np.testing.assert_allclose(found, _softmax(x, weights["aux"]), atol=1e-5)
    with pytest.warns(InputWarning, match=r"n.onnx gives 'main' \(3,\), 'aux' \(5,\): 'main' is"):
        model = load_model(path)
    np.testing.assert_allclose(model.predict(x), _softmax(x, weights["main"]), atol=1e-5)
    with pytest.raises(ModelError, match="output_key='out': n.onnx gives 'label', 'main', 'aux'"):
        load_model(path, output_key="out")
    with pytest.raises(ModelError, match=r"output_key=3: n.onnx gives 'label', 'main', 'aux'"):
        load_model(path, output_key=3)
    with pytest.raises(ModelError, match=r"output_key='label': .*expected numbers \(n, classes\)"):
        load_model(path, output_key="label")


def test_half_precision_with_channels_last(written, rng):
    path, weights = written((4, 5, 3), kind=TensorProto.FLOAT16)
    settings = {"layout": "NHWC", "mean": [0.1, 0.2, 0.3], "std": 0.5}
    with pytest.warns(EngineWarning, match="onnxruntime evaluates it in whole passes"):
        model = load_model(path, preprocess=settings, output_key="main")
    assert model.shape == (3, 4, 5)
    x = rng.random((2, 3, 4, 5), dtype=np.float32)
    seen = (np.moveaxis(x, 1, -1) - [0.1, 0.2, 0.3]) / 0.5
    np.testing.assert_allclose(model.predict(x), _softmax(seen, weights["main"]), atol=3e-3)


@pytest.mark.parametrize("channels", [1, 4])
def test_volumes_with_channels_last_are_normalised(written, rng, channels):
    path, weights = written((2, 3, 4, channels))
    settings = {"layout": "NHWC", "mean": 0.25, "std": 2.0}
    with pytest.warns(EngineWarning, match="onnxruntime evaluates it in whole passes"):
        model = load_model(path, preprocess=settings, output_key="main")
    assert model.shape == (channels, 2, 3, 4)
    x = rng.random((2, channels, 2, 3, 4), dtype=np.float32)
    seen = (np.moveaxis(x, 1, -1) - 0.25) / 2
    np.testing.assert_allclose(model.predict(x), _softmax(seen, weights["main"]), atol=1e-5)
    assert "channels_last=True" in model.preparation
