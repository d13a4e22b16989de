"""Folders of HuggingFace: read with their labels and pictures, or refused before any code runs."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import preddiff
from preddiff import load_model
from preddiff.errors import ModelError

NAMES = {"id2label": {0: "ant", 1: "bee", 2: "cat"}, "label2id": {"ant": 0, "bee": 1, "cat": 2}}
CONFIGURATIONS = {
    "vit": transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=16, patch_size=8, **NAMES,
    ),
    "swin": transformers.SwinConfig(
        image_size=16, patch_size=2, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4,
        **NAMES,
    ),
    "convnext": transformers.ConvNextConfig(
        num_stages=2, hidden_sizes=[8, 16], depths=[1, 1], image_size=16, **NAMES
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Networks of random weights, each in a folder of its own, with what prepares its pictures."""
    root = tmp_path_factory.mktemp("hf")
    for name, config in CONFIGURATIONS.items():
        torch.manual_seed(0)
        network = transformers.AutoModelForImageClassification.from_config(config)
        network.save_pretrained(root / name)
        processor = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
        size = {"size": {"height": 16, "width": 16}, "image_processor_type": "ViTImageProcessor"}
        (root / name / "preprocessor_config.json").write_text(json.dumps(processor | size))
    return root


@pytest.fixture
def folder(saved, tmp_path):
    """One of them, to be changed."""
    return shutil.copytree(saved / "vit", tmp_path / "mine")


def _change(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_folder_gives_what_its_network_gives(saved, name, rng):
    model = load_model(f"hf:{saved}/{name}")
    assert model.labels == ["ant", "bee", "cat"]
    assert (model.spec, model.output) == (f"hf:{name}", "logits")
    network = transformers.AutoModelForImageClassification.from_pretrained(saved / name)
    picture = Image.fromarray(rng.integers(0, 255, (20, 30, 3)).astype(np.uint8))
    processor = transformers.AutoImageProcessor.from_pretrained(saved / name)
    with torch.inference_mode():
        logits = network(**processor(picture, return_tensors="pt")).logits
    seen = model.prepare(picture)
    np.testing.assert_allclose(model.predict(seen[None]), logits.softmax(1), rtol=2e-2)
    # The object in memory is the same model.
    own = load_model(network, preprocess=processor)
    np.testing.assert_array_equal(own.predict(seen[None]), model.predict(seen[None]))
    e = preddiff.explain(model, picture, sampler="constant:0.5", window=8, stride=8, engine="dense")
    assert list(e.labels) == [model.labels[int(model.predict(seen[None]).argmax())]]


def test_windows_may_be_tokens(saved, rng):
    x = rng.random((3, 16, 16), dtype=np.float32)
    e = preddiff.explain(f"hf:{saved}/vit", x, window="token", sampler="constant:0.5")
    assert e.provenance["window"] == 8
    assert len(e.data["window_start"]) == 4


def test_weights_in_half_precision_are_computed_in_single(folder):
    half = {name: value.half() for name, value in load_file(folder / "model.safetensors").items()}
    save_file(half, folder / "model.safetensors", {"format": "pt"})
    _change(folder, dtype="float16")
    assert {each.dtype for each in load_model(f"hf:{folder}").module.parameters()} == {torch.float}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "mine", "auto_map": {"AutoConfig": "code.Mine"}}, "its code is its own"),
        ({"model_type": "vti"}, "a network of type 'vti'; expected a classifier .*nearest: vit"),
        ({"quantization_config": {"quant_method": "awq"}}, "quantised weights need packages"),
        ({"_attn_implementation": "who/kernel"}, "attention by 'who/kernel': expected eager"),
        ({"backbone": "resnet50"}, "builds on 'resnet50', which is not in this folder"),
        ({"architecture": "hf-hub:who/what"}, "builds on 'hf-hub:who/what'"),
        ({"num_hidden_layers": 2}, "15 more weights are not in it: expected a classifier that was"),
        ({"hidden_size": "large"}, "transformers cannot read it"),
    ],
)
def test_what_is_not_in_the_folder_is_not_looked_for_elsewhere(folder, settings, message):
    _change(folder, **settings)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(f"hf:{folder}")
    assert "\n" not in str(caught.value)


def test_nothing_but_safetensors_is_read(folder):
    (folder / "model.safetensors").rename(folder / "elsewhere")
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"mine: no model.safetensors: other weights are pickles"):
        load_model(f"hf:{folder}")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere"}}))
    with pytest.raises(ModelError, match=r"weights in '../elsewhere': expected a file beside it"):
        load_model(f"hf:{folder}")
    index.write_text("[]")
    with pytest.raises(ModelError, match="not a list of weights"):
        load_model(f"hf:{folder}")


def test_an_adapter_is_no_network(folder):
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="mine: an adapter of another network; save it merged"):
        load_model(f"hf:{folder}")


def test_folders_that_are_none(tmp_path):
    with pytest.raises(ModelError, match="hf:nowhere: no such folder; expected what save_pretr"):
        load_model("hf:nowhere")
    with pytest.raises(ModelError, match=r"config.json: no such file"):
        load_model(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ModelError, match=r"config.json: not the configuration of a network"):
        load_model(f"hf:{tmp_path}")


def test_names_are_as_many_as_classes(folder):
    assert load_model(f"hf:{folder}", labels=["p", "q", "r"]).labels == ["p", "q", "r"]
    with pytest.raises(ModelError, match="2 labels for 3 classes of hf:mine: expected as many"):
        load_model(f"hf:{folder}", labels=["p", "q"])


def test_logits_are_all_that_is_taken(folder):
    with pytest.raises(ModelError, match="output_key='x': hf:.*mine returns one thing"):
        load_model(f"hf:{folder}", output_key="x")


def test_a_result_names_folders_below_its_own_only(saved, monkeypatch):
    monkeypatch.chdir(saved)
    result = preddiff.explain(
        "hf:vit", np.zeros((3, 16, 16)), sampler="constant:0.5", window=8, stride=8, engine="dense"
    )
    assert preddiff.verify(result).passed
    monkeypatch.chdir(saved / "swin")
    for spec in ("hf:..", "hf:../vit"):
        result.data.attrs["model"] = spec
        with pytest.raises(ModelError, match=r"is not loaded because a result says so"):
            preddiff.verify(result)
