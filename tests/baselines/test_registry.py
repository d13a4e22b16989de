"""Baselines register themselves: names, labels and signs reach results and figures."""

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.baselines.base import Baseline
from preddiff.baselines.registry import BASELINES
from preddiff.errors import SettingError

ALL = ("occlusion", "integrated_gradients", "grad_cam")
SMALL = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0"}


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


def test_they_are_kept_and_shown(small_network, picture, tmp_path):
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


def test_what_cannot_be_had_is_said(small_network, picture):
    with pytest.raises(SettingError, match=r"'gradcam': expected some of .*; nearest: grad_cam"):
        preddiff.explain(small_network, picture, baselines=["gradcam"], **SMALL)
    with pytest.raises(SettingError, match="of pictures and their classes, not of hidden nodes"):
        preddiff.explain(small_network, picture, node="0", baselines=["grad_cam"], **SMALL)


def test_a_baseline_of_ones_own_is_one_entry(small_network, picture, monkeypatch, tmp_path):
    """It reaches the result, the file and the figure, with its label and on an unsigned scale."""
    edges = Baseline(
        "edges",
        "edges (Sobel)",
        signed=False,
        compute=lambda task: np.stack(
            [np.abs(task.inputs).sum(0).astype(float)] * len(task.targets)
        ),
    )
    monkeypatch.setitem(BASELINES, "edges", edges)
    e = preddiff.explain(small_network, picture, baselines=["edges"], **SMALL)
    loaded = preddiff.load(preddiff.save(e, tmp_path / "e.zarr"))
    assert list(loaded.baselines) == ["sensitivity", "edges"]
    assert loaded.baselines["edges"].attrs["signed"] == 0
    titles = [panel.get_title() for panel in preddiff.figure(loaded).axes]
    assert titles[:3] == ["input", "sensitivity", "edges (Sobel)"]
