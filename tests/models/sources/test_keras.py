"""Models of Keras on torch: as they are in memory, and from files that hold layers and numbers."""

import json
import os
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import preddiff
from preddiff import load_model
from preddiff.errors import InputWarning, ModelError

# Keras reads both once, when it is imported.
os.environ["KERAS_BACKEND"] = "torch"
os.environ["KERAS_HOME"] = f"{os.devnull}/keras"

import keras
from keras import layers

# Of numpy, about how Keras makes arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((10, 12, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(2.0, -1.0)(inputs))
    x = layers.Dropout(0.5)(layers.BatchNormalization()(layers.MaxPooling2D()(x)))
    outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(x))
    return keras.Model(inputs, outputs)


@pytest.fixture(scope="module")
def saved(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "mine.keras"
    network.save(path)
    return path


def test_a_file_and_its_model_give_the_same(saved, network, rng):
    x = rng.random((3, 3, 10, 12), dtype=np.float32)
    expected = network.predict(np.moveaxis(x, 1, -1), verbose=0)
    for source in (saved, network):
        model = load_model(source, labels=["a", "b", "c"])
        assert model.shape == (3, 10, 12)
        with pytest.warns(InputWarning, match="resized to 10×12, in"):
            assert model.prepare(Image.new("RGB", (40, 30))).shape == (3, 10, 12)
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    assert model.output == "probabilities"
    assert (model.unsquashed(x).sum(1) != 1).all()  # its softmax is cut off
    assert "conv2d" in model.nodes(x[0])
    e = preddiff.explain(
        model, x[0], sampler="constant:0.5", window=4, stride=4, engine="incremental",
        precision="float32",
    )  # fmt: skip
    assert e.provenance["engine"] == "incremental"
    hidden = x[:1].copy()
    hidden[..., 4:8, 4:8] = 0.5
    odds = np.log2([q / (1 - q) for q in model.predict(np.concatenate([x[:1], hidden]))])
    target = int(e.data["target"].values[0])
    at = int(np.flatnonzero((e.data["window_start"].values == 4).all(1))[0])
    np.testing.assert_allclose(e.evidence[0, at], (odds[0] - odds[1])[target], atol=1e-3)


def test_channels_first_are_left_so(rng):
    inputs = keras.Input((3, 8, 8))
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(inputs)
    network = keras.Model(inputs, layers.Dense(2)(x))
    x = rng.random((2, 3, 8, 8), dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x), training=False)
    model = load_model(network, output="values")
    assert model.shape == (3, 8, 8)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)


def test_several_inputs_are_refused():
    one, other = keras.Input((4,)), keras.Input((4,))
    network = keras.Model([one, other], layers.Add()([one, other]))
    with pytest.raises(ModelError, match=r"keras:.*: inputs of shapes .*: expected one"):
        load_model(network)


def _changed(path, folder, change, extra=None):
    copy = folder / "changed.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config).encode()
            new.writestr(name, content)
        if extra:
            new.writestr(extra, "")
    return copy


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"class_name": "Lambda", "module": "keras.layers"}, "has 'Lambda' of 'keras.layers'"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers"}, "may run code or read"),
        ({"class_name": "system", "module": "os"}, "has 'system' of 'os', which may run code"),
        ({"class_name": "function", "module": "builtins"}, "has 'function' of 'builtins'"),
        ({"class_name": "Mine", "module": None, "registered_name": "a>Mine"}, "not a model of K"),
    ],
)
def test_files_with_more_than_layers_are_refused(saved, tmp_path, entry, message):
    path = _changed(saved, tmp_path, lambda found: found[2].update(entry))
    with pytest.raises(ModelError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    path = _changed(saved, tmp_path, lambda found: found[2]["config"].update(activation=entry))
    with pytest.raises(ModelError, match=message):
        load_model(path)


def test_files_that_are_no_models(saved, tmp_path):
    with pytest.raises(ModelError, match=r"holds 'assets/a': expected layers and weights"):
        load_model(_changed(saved, tmp_path, lambda _: None, "assets/a"))
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(ModelError, match=r"text.keras: not a model of Keras 3, .*BadZipFile"):
        load_model(tmp_path / "text.keras")


@pytest.mark.parametrize("kind", ["external link", "soft link", "external file"])
def test_weights_of_other_files_are_not_read(saved, tmp_path, kind):
    import h5py

    weights = tmp_path / "model.weights.h5"
    with h5py.File(weights, "w") as file:
        if kind == "external link":
            file["layers"] = h5py.ExternalLink("/etc/passwd", "/")
        elif kind == "soft link":
            file["layers"] = h5py.SoftLink("/elsewhere")
        else:
            file.create_dataset("layers", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    path = tmp_path / "changed.keras"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, weights.read_bytes() if name == weights.name else old.read(name))
    with pytest.raises(ModelError, match="changed.keras: weights 'layers' are"):
        load_model(path)


def test_keras_on_something_else_is_refused(saved, network, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    for source in (saved, network):
        with pytest.raises(ModelError, match="Keras runs on jax: set the environment variable KER"):
            load_model(source)
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    with pytest.raises(ModelError, match="Keras runs on numpy: set the environment variable KER"):
        load_model(saved)
