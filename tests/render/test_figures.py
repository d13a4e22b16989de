"""Figures: what they show, how they are laid out, and what they refuse."""

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError


def explained(rng, shape=(3, 12, 10), **settings):
    picture = rng.random(shape)
    settings = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0", **settings}
    return preddiff.explain(Softmax(shape), picture, targets="top2", **settings)


def test_the_figure_has_a_row_per_target_and_names_its_unit(rng, tmp_path):
    figure = preddiff.figure(explained(rng))
    panels = figure.axes
    assert len(panels) == 2 * 3 + 1  # no gradient, so no sensitivity map; and the colour bar
    assert [panel.get_title() for panel in panels[:3]] == [
        "input", "relevance", "relevance over input",
    ]  # fmt: skip
    assert panels[0].get_ylabel().startswith("class")
    assert "bits" in panels[-1].get_ylabel()
    low, high = panels[-1].get_ylim()
    assert low == -high
    figure.savefig(tmp_path / "figure.png")


def test_networks_get_a_sensitivity_map_beside(rng, small_network):
    e = preddiff.explain(small_network, rng.random((3, 16, 16)), window=8, stride=8)
    titles = [panel.get_title() for panel in preddiff.figure(e).axes]
    assert titles[:4] == ["input", "sensitivity", "relevance", "relevance over input"]


def test_a_label_is_text_and_no_formula(rng, small_network, tmp_path):
    model = preddiff.load_model(small_network, labels=["$\\frac{ b$"] * 4)
    e = preddiff.explain(model, rng.random((3, 16, 16)), 0, window=8, stride=8)
    preddiff.figure(e).savefig(tmp_path / "figure.png")


def test_grey_pictures_have_figures_too(rng):
    preddiff.figure(explained(rng, shape=(1, 12, 10)))


def test_the_figure_says_what_differs_and_shares_a_scale_per_unit(rng):
    picture = rng.random((1, 8, 8))
    both = preddiff.compare(
        Softmax((1, 8, 8)), picture, window=[2, 4], sampler="constant:0", targets="top2"
    )
    figure = preddiff.figure(both)
    captions = [panel.get_ylabel() for panel in figure.axes if panel.get_ylabel()]
    assert [text.split("\n")[0] for text in captions[:4]] == ["window 2"] * 2 + ["window 4"] * 2
    assert len(figure.axes) == 4 * 3 + 1
    largest = max(float(np.abs(e.relevance).max()) for e in both)
    assert figure.axes[-1].get_ylim() == pytest.approx((-largest, largest))
    other = preddiff.explain(
        Softmax((1, 8, 8)), picture, window=4, sampler="constant:0", measure="DP"
    )
    mixed = preddiff.figure([both[0], other])
    assert len(mixed.axes) == 3 * 3 + 2  # two colour bars


def test_channels_have_bars_and_units_no_figure(rng, small_network):
    settings = {"source": "1", "sampler": "constant:0", "engine": "dense"}
    picture = rng.random((3, 16, 16), dtype=np.float32)
    channels = preddiff.explain(small_network, picture, window="channel", **settings)
    panel = preddiff.figure(channels).axes[0]
    largest = np.abs(channels.relevance.values[0]).max()
    assert abs(panel.patches[0].get_height()) == pytest.approx(largest)
    assert "channel of 1, 6 of 6" in panel.get_xlabel()
    places = preddiff.explain(small_network, picture, window=4, stride=4, **settings)
    assert len(preddiff.figure(places).axes) == 3 + 1
    units = preddiff.explain(small_network, picture, window="unit", node="6", **settings)
    with pytest.raises(SettingError, match=r"figures show pictures \(y, x\), volumes"):
        preddiff.figure(units)
    with pytest.raises(SettingError, match="one kind at a time"):
        preddiff.figure([channels, places])
