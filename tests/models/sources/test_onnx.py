"""ONNX files: converted networks give what onnxruntime gives, or are refused."""

import json
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

import preddiff
from conftest import DATA, needs_data
from preddiff import load_model
from preddiff.errors import EngineWarning, ModelError
from preddiff.models import targets

GOOGLENET = DATA / "models/bvlc_googlenet.onnx"

SQUEEZENET = DATA / "models/squeezenet.onnx"

OSTRICH = DATA / "images/imagenet/n01518878_ostrich.jpg"


@pytest.fixture
def exported(tmp_path):
    """A linear network as an ONNX file, made with onnx's own helper."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper

    def make(metadata=None, classes=3, seed=0, name="net.onnx", flat=None):
        weights = np.random.default_rng(seed).normal(size=(3 * 8 * 8, classes))
        tensor = onnx.numpy_helper.from_array(weights.astype(np.float32), "weights")
        one_row = onnx.numpy_helper.from_array(np.array([1, -1]), "one_row")
        graph = helper.make_graph(
            [
                flat or helper.make_node("Flatten", ["data"], ["flat"], name="flat"),
                helper.make_node("Gemm", ["flat", "weights"], ["score"], name="score"),
                helper.make_node("Softmax", ["score"], ["prob"], name="prob"),
            ],
            "net",
            [helper.make_tensor_value_info("data", 1, ["N", 3, 8, 8])],
            [
                helper.make_tensor_value_info("score", 1, ["N", classes]),
                helper.make_tensor_value_info("prob", 1, ["N", classes]),
            ],
            [tensor, one_row],
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(proto, metadata or {})
        onnx.save(proto, tmp_path / name)
        return tmp_path / name, weights

    return make


def test_the_probabilities_are_found_among_the_outputs(exported, rng):
    path, weights = exported({"scale": "255", "mean": "1,2,3", "channel_order": "BGR"})
    x = rng.random((2, 3, 8, 8)).astype(np.float32)
    network_input = 255 * x[:, ::-1] - np.array([1, 2, 3])[:, None, None]
    logits = torch.from_numpy(network_input.reshape(2, -1) @ weights)
    np.testing.assert_allclose(load_model(path).predict(x), logits.softmax(1), atol=1e-6)


def test_nodes_keep_their_names(exported):
    path, _ = exported()
    nodes = load_model(path).nodes(np.zeros((3, 8, 8), dtype=np.float32))
    assert list(nodes) == ["flat", "score", "prob"]


def test_a_json_file_overrides_the_metadata(exported, tmp_path):
    path, _ = exported({"mean": "1,2,3"})
    (tmp_path / "labels.txt").write_text("cat\ndog\nrat")
    settings = {"mean": [0, 0, 0], "resize": "stretch (nearest)", "labels_file": "labels.txt"}
    (tmp_path / "how.json").write_text(json.dumps(settings))
    model = load_model(path, preprocess=tmp_path / "how.json")
    assert model.preprocessing.mean == (0, 0, 0)
    assert model.preprocessing.interpolation == "nearest"
    assert model.labels == ["cat", "dog", "rat"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"mean": "a,b,c"}, "mean='a,b,c': expected a number, or 3 of them"),
        ({"mean": "1,2"}, "mean='1,2': expected a number, or 3 of them"),
        ({"scale": ""}, "scale='': expected a number"),
        ({"labels_file": "/etc/passwd"}, "expected a path below the model's folder"),
        ({"labels_file": "../secret"}, "expected a path below the model's folder"),
        ({"layout": "NHWC"}, "8 channels: expected 1 or 3; where the network wants them last"),
        ({"std": "0"}, "std=0: expected numbers other than 0"),
        ({"layout": "NWHC"}, "layout='NWHC': expected NCHW or NHWC"),
        ({"resize": "to taste"}, "resize='to taste': expected 'short side N"),
        (
            {"labels_file": "nowhere.txt"},
            "name a list of its classes, 'nowhere.txt', that is not in",
        ),
    ],
)
def test_metadata_that_are_not_understood(exported, metadata, message):
    path, _ = exported(metadata)
    with pytest.raises(ModelError, match=message):
        load_model(path)


def test_who_names_the_classes_needs_no_list_in_the_models_folder(exported):
    path, _ = exported({"labels_file": "nowhere.txt"})
    assert load_model(path, labels=["cat", "dog", "rat"]).labels == ["cat", "dog", "rat"]


def test_labels_of_another_number_are_refused(exported, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog")
    path, _ = exported({"labels_file": "labels.txt"})
    with pytest.raises(ModelError, match=r"^2 labels for 3 classes of .*\.onnx: expected as many"):
        load_model(path)
    with pytest.raises(ModelError, match="4 labels for 3 classes"):
        load_model(path, labels=list("abcd"))


def test_a_file_that_is_cut_off(exported, tmp_path):
    path, _ = exported()
    for share in (0, 0.01, 0.5, 0.99):
        content = path.read_bytes()
        (tmp_path / "cut.onnx").write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelError, match="not a complete ONNX file") as caught:
            load_model(tmp_path / "cut.onnx")
        assert "\n" not in str(caught.value)


def test_a_file_that_fixes_its_batch_to_one_is_evaluated_one_by_one(exported, rng):
    from onnx import helper

    reshape = helper.make_node("Reshape", ["data", "one_row"], ["flat"], name="flat")
    path, weights = exported(flat=reshape)
    with pytest.warns(EngineWarning, match="whole passes, without nodes .takes one picture at a"):
        model = load_model(path)
    x = rng.random((3, 3, 8, 8)).astype(np.float32)
    expected = torch.from_numpy(x.reshape(3, -1) @ weights).softmax(1)
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)


def test_a_conversion_that_differs_from_onnxruntime_is_not_used(exported, monkeypatch, rng):
    import onnx2torch

    path, weights = exported()
    other, _ = exported(seed=1, name="other.onnx")
    convert = onnx2torch.convert
    monkeypatch.setattr(onnx2torch, "convert", lambda _: convert(str(other)))
    with pytest.warns(EngineWarning, match="off onnxruntime's"):
        model = load_model(path)
    x = rng.random((2, 3, 8, 8)).astype(np.float32)
    expected = torch.from_numpy(x.reshape(2, -1) @ weights).softmax(1)
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)


class Modern(nn.Module):
    """Operations that exporters write in opset 18 or later."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.last = nn.Linear(8 * 16, 5)

    def forward(self, x):
        x = functional.gelu(self.first(x))
        x = x * functional.hardsigmoid(self.second(x.mean((2, 3), keepdim=True)))
        left, right = functional.hardswish(x).chunk(2, 1)
        x = torch.cat([functional.mish(left), functional.gelu(right, approximate="tanh")], 1)
        return self.last(functional.adaptive_avg_pool2d(x, 4).flatten(1))


def export(module, inputs, path, free=(0,)):
    """Write an ONNX file as today's exporter does, with some axes of any length."""
    pytest.importorskip("onnxscript")
    dims = {axis: torch.export.Dim(f"axis{axis}", min=2, max=256) for axis in free}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (inputs,), path, dynamo=True, verbose=False, dynamic_shapes=(dims,)
        )
    return path


def test_a_file_of_todays_exporter_is_converted(tmp_path):
    module, x = Modern(), torch.rand(3, 3, 16, 16)
    model = load_model(export(module, x, tmp_path / "modern.onnx"))
    with torch.inference_mode():
        np.testing.assert_allclose(model.predict(x.numpy()), module(x).softmax(1), atol=1e-5)
    assert len(model.nodes(x[0].numpy())) > 10


def test_one_probability_has_no_range_to_be_off_by(tmp_path):
    module, x = nn.Sequential(Modern(), nn.Linear(5, 1), nn.Sigmoid()), torch.rand(3, 3, 16, 16)
    model = load_model(export(module, x, tmp_path / "one.onnx"))
    with torch.inference_mode():
        np.testing.assert_allclose(model.predict(x.numpy())[:, 1:], module(x), atol=1e-5)


@pytest.fixture
def whole(tmp_path):
    """Returns the model of a module that cannot be converted."""

    def make(module, inputs, free=(0,), **settings):
        path = export(module, inputs, tmp_path / "whole.onnx", free)
        with pytest.warns(EngineWarning, match="onnxruntime evaluates it in whole passes, without"):
            return load_model(path, **settings)

    return make


def test_a_file_of_half_precision_is_evaluated_by_onnxruntime(whole):
    module, x = Modern().eval(), torch.rand(3, 3, 16, 16)
    with torch.inference_mode():
        expected = module(x).softmax(1)
    found = whole(module.half(), x.half()).predict(x.numpy())
    np.testing.assert_allclose(found, expected, atol=2e-3)


class Bytes(nn.Module):
    """A network of pictures in 8 bits."""

    def __init__(self):
        super().__init__()
        self.inner = Modern()

    def forward(self, x):
        return self.inner(x.float() / 255)


def test_a_file_that_takes_8_bits_is_evaluated_by_onnxruntime(whole):
    module, x = Bytes(), torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    model = whole(module, x)
    with torch.inference_mode():
        found = model.predict((x / 255).numpy())
        np.testing.assert_allclose(found, module(x).softmax(1), atol=1e-5)


def test_a_file_of_any_size_is_evaluated_by_onnxruntime(whole):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                           nn.Linear(4, 1), nn.Sigmoid())  # fmt: skip
    model = whole(module, torch.rand(3, 3, 16, 16), (0, 2, 3))
    x = torch.rand(2, 3, 20, 24)
    with torch.inference_mode():
        np.testing.assert_allclose(model.predict(x.numpy())[:, 1:], module(x), atol=1e-5)
    found = preddiff.explain(model, x[0].numpy(), window=4, sampler="constant:0", stride=8)
    assert found.evidence.any()


def test_a_file_of_volumes_is_evaluated_by_onnxruntime(whole):
    module = nn.Sequential(nn.Conv3d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
                           nn.Linear(4, 2))  # fmt: skip
    x = torch.rand(2, 1, 8, 8, 8)
    model = whole(module, x)
    with torch.inference_mode():
        np.testing.assert_allclose(model.predict(x.numpy()), module(x).softmax(1), atol=1e-5)
    assert model.shape == (1, 8, 8, 8)


@needs_data
@pytest.mark.parametrize(("path", "p"), [(GOOGLENET, 0.9999), (SQUEEZENET, 0.9936)])
def test_the_real_networks_name_the_ostrich(path, p):
    model = load_model(path)
    inputs = model.prepare(Image.open(OSTRICH))
    values = model.predict(inputs[None])[0]
    assert targets.names([int(values.argmax())], model.labels, None) == ["ostrich"]
    assert values.max() == pytest.approx(p, abs=0.02)
    expected = {"conv1/7x7_s2": (64, 112, 112), "inception_3a/output": (256, 28, 28)}
    if path == GOOGLENET:
        assert expected.items() <= model.nodes(inputs).items()
