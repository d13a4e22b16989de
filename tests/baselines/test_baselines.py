"""Other methods' maps beside ours."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from conftest import DATA, Softmax, needs_data
from preddiff.baselines.grad_cam import grad_cam
from preddiff.baselines.integrated_gradients import integrated_gradients
from preddiff.errors import ModelError, SettingError
from preddiff.media import images
from preddiff.models.networks.network import Network

ALL = ("occlusion", "integrated_gradients", "grad_cam")
SMALL = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0"}


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


def test_occlusion_is_ours_with_a_grey_patch(small_network, picture):
    e = preddiff.explain(small_network, picture, 1, baselines=["occlusion"], **SMALL)
    grey = preddiff.explain(
        small_network, picture, 1, window=4, stride=4, samples=1, sampler="constant:0.5"
    )
    np.testing.assert_allclose(e.data["occlusion"], grey.relevance, atol=1e-6)
    finer = preddiff.explain(
        small_network, picture, 1, baselines=["occlusion"], **{**SMALL, "stride": 1}
    )
    halves = preddiff.explain(
        small_network, picture, 1, window=4, stride=2, samples=1, sampler="constant:0.5"
    )
    np.testing.assert_allclose(finer.data["occlusion"], halves.relevance, atol=1e-6)


def test_they_are_kept_and_stand_beside(small_network, picture, tmp_path):
    e = preddiff.explain(small_network, picture, "top2", baselines=ALL, **SMALL)
    assert set(e.baselines) == {"sensitivity", *ALL}
    assert all(each.dims == ("target", "y", "x") for each in e.baselines.values())
    preddiff.save(e, tmp_path / "e.zarr")
    assert set(preddiff.load(tmp_path / "e.zarr").baselines) == set(e.baselines)
    titles = [panel.get_title() for panel in preddiff.figure(e).axes]
    assert titles[:7] == [
        "input", "sensitivity", "integrated gradients", "Grad-CAM", "occlusion", "relevance",
        "relevance over input",
    ]  # fmt: skip


def test_occlusion_needs_no_gradient_and_the_others_say_so(picture):
    model = Softmax(picture.shape)
    e = preddiff.explain(model, picture, baselines=["occlusion"], **SMALL)
    assert set(e.baselines) == {"occlusion"}
    with pytest.raises(SettingError, match=r"'grad_cam': needs gradients, and .* no torch network"):
        preddiff.explain(model, picture, baselines=["grad_cam"], **SMALL)


def test_what_cannot_be_had_is_said(small_network, picture, rng):
    with pytest.raises(SettingError, match=r"'gradcam': expected some of .*; nearest: grad_cam"):
        preddiff.explain(small_network, picture, baselines=["gradcam"], **SMALL)
    with pytest.raises(SettingError, match="of pictures and their classes, not of hidden nodes"):
        preddiff.explain(small_network, picture, node="0", baselines=["grad_cam"], **SMALL)
    flat = Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3)).eval())
    with pytest.raises(ModelError, match="no node on a grid"):
        grad_cam(flat, rng.random((3, 16, 16), dtype=np.float32), [0])
    sure = Network(nn.Sequential(nn.Flatten(), nn.Linear(768, 2), _Squares()).eval())
    with pytest.raises(ModelError, match="without its scores"):
        integrated_gradients(sure, picture, [0])


class _Squares(nn.Module):
    """Probabilities that come from no softmax."""

    def forward(self, values):
        return values**2 / (values**2).sum(1, keepdim=True)


@needs_data
def test_on_the_papers_network():
    model = preddiff.load_model(DATA / "models" / "bvlc_googlenet.onnx")
    picture = next((DATA / "images" / "imagenet").glob("*Granny_Smith*"))
    inputs = model.prepare(images.read(picture))
    target = int(model.predict(inputs[None])[0].argmax())
    cam = grad_cam(model, inputs, [target])[0]
    assert cam.min() >= 0
    assert cam.max() > 0
    gradients = integrated_gradients(model, inputs, [target])[0]
    mean = np.broadcast_to(np.float32(model.mean).reshape(3, 1, 1), inputs.shape).copy()
    scores = model.scores(torch.from_numpy(np.stack([inputs, mean]))).detach().numpy()[:, target]
    assert gradients.sum() == pytest.approx(scores[0] - scores[1], rel=0.1)
