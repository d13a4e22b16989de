"""ONNX files that onnxruntime evaluates: quantised ones, scikit-learn's, and those of any size."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression

import preddiff
from preddiff import load_model
from preddiff.errors import EngineWarning, ModelError
from small_onnx import write_onnx

WHOLE = "onnxruntime evaluates it in whole passes"


@pytest.fixture
def quantised(tmp_path):
    """A network and itself in 8 bits: weights alone, or values as well."""
    quantization = pytest.importorskip("onnxruntime.quantization")
    path = write_onnx(tmp_path / "net.onnx")
    pictures = [np.random.default_rng(n).random((1, 3, 8, 8), np.float32) for n in range(8)]

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.rest = iter(pictures)

        def get_next(self):
            found = next(self.rest, None)
            return None if found is None else {"data": found}

    def make(kind):
        to = tmp_path / f"{kind}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "dynamic":
                quantization.quantize_dynamic(path, to)
            else:
                quantization.quantize_static(path, to, Reader())
        return to

    return path, make, np.concatenate(pictures)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_a_quantised_network_gives_what_it_did_but_for_rounding(quantised, kind):
    path, make, x = quantised
    with pytest.warns(EngineWarning, match=WHOLE):
        model = load_model(make(kind))
    expected, found = load_model(path).predict(x), model.predict(x)
    assert model.output == "probabilities"
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.8


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_windows_of_a_quantised_network_are_those_of_a_loop(quantised, kind):
    """Values in 8 bits follow a range, which dynamically is that of all that is run together."""
    _, make, x = quantised
    asked = {"sampler": "constant:0.5", "window": 4, "stride": 2, "targets": "all"}
    with pytest.warns(EngineWarning):  # static rounding makes probabilities of 0: no odds
        e = preddiff.explain(load_model(make(kind)), x[0], measure="DP", **asked)
    session = onnxruntime.InferenceSession(make(kind))

    def p(picture):
        return session.run(None, {"data": picture[None]})[0][0].astype(np.float64)

    assert np.abs(e.evidence.values).max() > 0.01
    assert len(e.data["window_start"]) == 9
    for number, (top, left) in enumerate(e.data["window_start"].values):
        hidden = x[0].copy()
        hidden[:, top : top + 4, left : left + 4] = 0.5
        np.testing.assert_allclose(e.evidence.values[:, number], p(x[0]) - p(hidden), atol=1e-4)


def sklearn_file(path, estimator, zipped):
    """Write a logistic regression as skl2onnx does: a classifier, a normaliser, maybe a ZipMap."""
    count, features = len(estimator.classes_), estimator.coef_.shape[1]
    weights = estimator.coef_ if count > 2 else np.concatenate([-estimator.coef_, estimator.coef_])
    bias = estimator.intercept_
    bias = bias if count > 2 else np.concatenate([-bias, bias])
    names = [int(c) for c in estimator.classes_]
    nodes = [
        helper.make_node(
            "LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml",
            coefficients=weights.ravel().tolist(), intercepts=bias.tolist(),
            classlabels_ints=names, multi_class=int(count > 2),
            post_transform="SOFTMAX" if count > 2 else "LOGISTIC",
        ),
        helper.make_node("Normalizer", ["scores"], ["norm"], domain="ai.onnx.ml", norm="L1"),
    ]  # fmt: skip
    end = helper.make_tensor_value_info("norm", TensorProto.FLOAT, [None, count])
    if zipped:
        nodes.append(helper.make_node("ZipMap", ["norm"], ["probabilities"], domain="ai.onnx.ml",
                                      classlabels_int64s=names))  # fmt: skip
        row = helper.make_map_type_proto(
            TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        )
        end = helper.make_value_info("probabilities", helper.make_sequence_type_proto(row))
    graph = helper.make_graph(
        nodes, "sklearn",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, [None]), end],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_classifier_of_scikit_learn_gives_its_probabilities(tmp_path, rng, classes, zipped):
    x = rng.normal(size=(80, 12)).astype(np.float32)
    estimator = LogisticRegression().fit(x, np.arange(80) % classes + 1)
    with pytest.warns(EngineWarning, match=WHOLE):
        model = load_model(sklearn_file(tmp_path / "lr.onnx", estimator, zipped))
    found = model.predict(x.reshape(80, 1, 3, 4))
    np.testing.assert_allclose(found, estimator.predict_proba(x), atol=1e-5)
    assert model.output == "probabilities"


def of_size(path, shape):
    """A file whose input has a shape, and which would take as much memory."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes, "mean", [helper.make_tensor_value_info("data", 1, shape)],
        [helper.make_tensor_value_info("score", 1, [shape[0], shape[1]])],
    )  # fmt: skip
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(proto, path)
    return path


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        (["N", 3, 3000, 3000], None),
        (["N", 1, 400, 400, 400], None),
        ([5000, 3, 64, 64], None),
        (["N", 3, "H", "W"], {"input_size": 3000}),
    ],
)
def test_an_input_that_takes_too_much_memory_is_refused_by_all(tmp_path, shape, settings):
    path = of_size(tmp_path / "large.onnx", shape)
    with pytest.raises(ModelError, match="GiB of memory, more than the 1.5 that one file may"):
        load_model(path, preprocess=settings, output="logits")


def test_a_refusal_names_numbers_where_the_output_has_no_range(tmp_path, monkeypatch):
    onnx2torch = pytest.importorskip("onnx2torch")
    path = of_size(tmp_path / "one.onnx", ["N", 1, 8, 8])
    convert = onnx2torch.convert

    def wrong(proto):
        module = convert(proto)
        module.register_forward_hook(lambda _module, _inputs, values: values + 1)
        return module

    monkeypatch.setattr(onnx2torch, "convert", wrong)
    with pytest.warns(EngineWarning, match="is 1 off onnxruntime's, expected at most") as told:
        load_model(path, output="logits")
    assert "inf" not in str(told[0].message)
