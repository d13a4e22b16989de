"""torch modules as models."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from preddiff import load_model
from preddiff.errors import InputError, InputWarning, ModelError, SettingError


def test_a_network_in_training_mode_is_refused(small_network):
    network = nn.Sequential(small_network, nn.Dropout())
    with pytest.raises(
        ModelError, match=r"training mode, where predictions are random: call \.eval"
    ):
        load_model(network)


def test_networks_of_other_precisions(rng, small_network):

    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    expected = load_model(small_network).predict(x)
    double = load_model(copy.deepcopy(small_network).double())
    np.testing.assert_allclose(double.predict(x), expected, rtol=1e-4)
    half = load_model(copy.deepcopy(small_network).bfloat16())
    np.testing.assert_allclose(half.predict(x), expected, rtol=0.1)
    assert len({m.sha256 for m in (double, half)}) == 2


def test_gradient_is_that_of_the_logits(rng, small_network):
    x = rng.random((3, 16, 16)).astype(np.float32)
    for network in (small_network, nn.Sequential(small_network, nn.Softmax(1)).eval()):
        model = load_model(network)
        t = torch.from_numpy(x)[None].requires_grad_()
        small_network(t)[0, 2].backward()
        np.testing.assert_allclose(model.gradient(x, [1, 2])[1], t.grad[0], atol=1e-6)


def test_a_network_on_another_device_is_a_copy(small_network, rng):
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    model = load_model(small_network, labels=list("abcd"))
    moved = model.on("cpu")
    assert moved.module is not small_network
    assert moved.labels == model.labels
    np.testing.assert_array_equal(moved.predict(x), model.predict(x))
    with pytest.raises(SettingError, match="device='nowhere': cannot be used here"):
        model.on("nowhere")


def test_arrays_that_a_network_does_not_see(small_network):
    model = load_model(small_network, preprocess={"input_size": 16})
    with pytest.raises(InputError, match="values from 0 to 255: .* sees pictures in"):
        model.prepare(np.linspace(0, 255, 3 * 16 * 16).reshape(3, 16, 16))
    with pytest.raises(InputError, match=r"shape \(3, 16, 15\): .* sees \(3, 16, 16\)"):
        model.prepare(np.zeros((3, 16, 15)))
    with pytest.raises(InputError, match="from -2 to 2.5: .* undo what was done: array . std"):
        model.prepare(np.linspace(-2, 2.5, 3 * 16 * 16).reshape(3, 16, 16))
    with pytest.raises(InputError, match=r"\(1, 3, 16, 16\): .* of a batch of one, pass batch\[0"):
        model.prepare(np.zeros((1, 3, 16, 16)))
    assert load_model(small_network).prepare(np.full((3, 5, 5), 255.0)).max() == 255


def test_a_network_that_knows_no_preprocessing_says_so_of_pictures(small_network):
    picture = Image.new("RGB", (16, 12))
    with pytest.warns(
        InputWarning, match=r"gets this picture as it is, 12×16 in \[0, 1\], neither"
    ):
        load_model(small_network).prepare(picture)
    assert load_model(small_network, preprocess={}).prepare(picture).shape == (3, 12, 16)
    normalised = np.linspace(-2, 2.5, 3 * 16 * 16).reshape(3, 16, 16)
    with pytest.warns(InputWarning, match="from -2 to 2.5 look like those of a normalised picture"):
        load_model(small_network).prepare(normalised)
