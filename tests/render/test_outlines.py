"""Outlines and numbers of regions over a picture."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import preddiff
from conftest import Softmax
from preddiff import cli
from preddiff.render.outlines import figure_of_regions

LABELS = np.zeros((12, 12), np.int64)
LABELS[:, 6:] = 1
LABELS[8:, 2:9] = 3


@pytest.fixture
def picture(rng):
    return rng.random((3, 12, 12)).astype(np.float32)


def test_every_region_has_its_number_inside_and_an_outline(picture):
    (axes,) = figure_of_regions(picture, LABELS).axes
    for text in axes.texts:
        x, y = (round(float(each)) for each in text.get_position())
        assert LABELS[y, x] == int(text.get_text())
    assert sorted(text.get_text() for text in axes.texts) == ["1", "3"]
    edges = {tuple(map(tuple, each)) for each in axes.collections[0].get_segments()}
    assert ((5.5, -0.5), (5.5, 0.5)) in edges
    beside = (LABELS[:, 1:] != LABELS[:, :-1]).sum() + (LABELS[1:] != LABELS[:-1]).sum()
    assert len(edges) == beside


def test_a_figure_outlines_the_regions_that_were_hidden(picture):
    named = {"sampler": "constant:0.5", "targets": [0]}
    e = preddiff.explain(Softmax(picture.shape), picture, regions=LABELS, sets=120, **named)
    panel = preddiff.figure(e).axes[0]
    assert sorted(text.get_text() for text in panel.texts) == ["1", "3"]
    plain = preddiff.explain(Softmax(picture.shape), picture, window=4, stride=4, **named)
    assert not preddiff.figure(plain).axes[0].texts


def test_a_table_of_superpixels_comes_with_a_picture_of_their_numbers(
    picture, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model = Softmax(picture.shape)
    model.weights.reshape(*picture.shape, -1)[:, :, 6:] = 0  # nothing there matters
    e = preddiff.explain(model, picture, 0, window=4, stride=2, sampler="constant:0.5")
    preddiff.save(e, "cat.zarr")
    command = ["export", "cat.zarr", "--to", "csv", "--regions", "2x3"]
    done = CliRunner().invoke(cli.app, command)
    assert done.exception is None
    assert "speaks, unclear: its sign may be chance" in done.stderr
    with Image.open("cat.regions.png") as drawn:
        assert drawn.info["Software"] == "preddiff"
    (tmp_path / "cat.regions.png").write_bytes(b"mine")
    assert "cat.regions.png" in str(CliRunner().invoke(cli.app, command).exception)
    assert (tmp_path / "cat.regions.png").read_bytes() == b"mine"
