"""Grad-CAM lies where the class has its evidence."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from conftest import DATA, needs_data
from preddiff.baselines.grad_cam import grad_cam
from preddiff.errors import ModelError
from preddiff.media import images
from preddiff.models.networks.network import Network


def test_grad_cam_is_where_the_class_has_its_evidence(rng):
    """The last map's channels are the classes' scores by place: the map itself, if above 0."""
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.AvgPool2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()
    picture = rng.random((3, 16, 16), dtype=np.float32)
    maps = grad_cam(Network(network, output="logits"), picture, [3, 1])
    with torch.inference_mode():
        values = network[:2](torch.from_numpy(picture)[None])[0, [3, 1]].clamp(min=0) / 16
    assert maps.shape == (2, 16, 16)
    large = nn.functional.interpolate(values[None], (16, 16), mode="bilinear")[0]
    np.testing.assert_allclose(maps, large, atol=1e-6)


def test_a_network_without_a_grid_has_none(rng):
    flat = Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3)).eval())
    with pytest.raises(ModelError, match="no node on a grid"):
        grad_cam(flat, rng.random((3, 16, 16), dtype=np.float32), [0])


@needs_data
def test_it_is_positive_on_the_papers_network():
    model = preddiff.load_model(DATA / "models" / "bvlc_googlenet.onnx")
    picture = next((DATA / "images" / "imagenet").glob("*Granny_Smith*"))
    inputs = model.prepare(images.read(picture))
    target = int(model.predict(inputs[None])[0].argmax())
    cam = grad_cam(model, inputs, [target])[0]
    assert cam.min() >= 0
    assert cam.max() > 0
