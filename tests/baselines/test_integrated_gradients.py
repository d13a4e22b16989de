"""Integrated gradients: they add up, and of linear networks they are weights times input."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from conftest import DATA, needs_data
from preddiff.baselines.integrated_gradients import integrated_gradients
from preddiff.media import images
from preddiff.models.networks.network import Network


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


def test_integrated_gradients_add_up_to_the_rise_of_the_score(small_network, picture):
    model = preddiff.load_model(small_network)
    maps = integrated_gradients(model, picture, [2, 0])
    both = torch.from_numpy(np.stack([picture, np.zeros_like(picture)]))
    scores = model.scores(both).detach().numpy()
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), (scores[0] - scores[1])[[2, 0]], atol=1e-3)


def test_integrated_gradients_of_a_linear_network_are_weights_times_input(picture):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3)).eval()
    maps = integrated_gradients(Network(network), picture, [1])
    weights = network[1].weight[1].detach().numpy().reshape(3, 16, 16)
    np.testing.assert_allclose(maps[0], (weights * picture).sum(axis=0), rtol=1e-3, atol=1e-5)


def test_one_logit_stands_for_two_classes(picture):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 1)).eval()
    no, yes = integrated_gradients(Network(network), picture, [0, 1])
    np.testing.assert_allclose(no, -yes)


@needs_data
def test_they_add_up_on_the_papers_network():
    model = preddiff.load_model(DATA / "models" / "bvlc_googlenet.onnx")
    picture = next((DATA / "images" / "imagenet").glob("*Granny_Smith*"))
    inputs = model.prepare(images.read(picture))
    target = int(model.predict(inputs[None])[0].argmax())
    gradients = integrated_gradients(model, inputs, [target])[0]
    mean = np.broadcast_to(np.float32(model.mean).reshape(3, 1, 1), inputs.shape).copy()
    scores = model.scores(torch.from_numpy(np.stack([inputs, mean]))).detach().numpy()[:, target]
    assert gradients.sum() == pytest.approx(scores[0] - scores[1], rel=0.1)
