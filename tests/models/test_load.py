"""From a SPEC to a model, or to a message that says what is wrong."""

import numpy as np
import pytest
from torch import nn

from preddiff import load_model
from preddiff.errors import ModelError
from preddiff.models import Linear, load, sources


def test_the_size_of_the_training_set_is_that_of_the_weights(embedded):
    assert embedded.train_size == 1_281_167
    assert load_model("torchvision:alexnet@random").train_size is None
    assert load_model(embedded, train_size=7).train_size == 7
    assert embedded.train_size == 1_281_167  # the caller's model stays as it was


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:gogglenet", "no such classifier; nearest: googlenet"),
        ("torchvision:alexnet@IMAGENET21K", "unknown weights; expected one of IMAGENET1K_V1"),
        ("torchvision:alexnet@missing.pth", "missing.pth: no such weights file"),
        ("timm:resnt18@random", "no such network; nearest: resnet18"),
        ("timm:vit_tiny", "no such network; nearest: vit_tiny_patch16_224, vit_tiny_patch16_384"),
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


@pytest.mark.parametrize(
    ("file", "prefix"), [("config.json", "hf:"), ("configs/inference.json", "monai:")]
)
def test_a_folder_is_named_with_its_kind(tmp_path, file, prefix):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("{}")
    with pytest.raises(ModelError, match=f"a folder; name it {prefix}{tmp_path}"):
        load_model(tmp_path)


def test_a_source_is_a_file_and_a_line(tmp_path, monkeypatch):
    """A toy source, as a newcomer would add it: `toy:N` is a model of N equally likely classes."""
    (tmp_path / "toy.py").write_text(
        "import numpy as np\n"
        "from preddiff.models.function import Function\n"
        "def load(spec, request):\n"
        "    request.refuse(spec)\n"
        "    classes = int(spec.removeprefix('toy:'))\n"
        "    return Function(lambda inputs: np.full((len(inputs), classes), 1 / classes))\n"
    )
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    line = load.SpecSource("toy:N", "toy", prefix="toy:")
    monkeypatch.setattr(load, "SPEC_SOURCES", (*load.SPEC_SOURCES, line))
    model = load_model("toy:4", labels=list("abcd"))
    np.testing.assert_array_equal(model.predict(np.zeros((2, 1, 3, 3))), np.full((2, 4), 0.25))
    assert model.labels == list("abcd")
    with pytest.raises(ModelError, match="toy:4 knows its own output and preprocessing"):
        load_model("toy:4", output="logits")
    with pytest.raises(ModelError, match=r"expected embedded, .*, toy:N or package\.module:"):
        load_model("toys")


@pytest.mark.parametrize("spec", ["timm:", "torchvision:", ".onnx"])
def test_a_spec_that_names_nothing_is_unknown(spec):
    with pytest.raises(ModelError, match="unknown model"):
        load_model(spec)


def test_the_caller_s_model_stays_as_it_is():
    model = Linear([[[1.0, 2.0]]], labels=["a", "b"])
    assert load_model(model) is model
    other = load_model(model, labels=("no", "yes"))
    assert (model.labels, other.labels) == (["a", "b"], ["no", "yes"])
    assert other.weights is model.weights
