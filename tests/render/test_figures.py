import numpy as np
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.media import images
from preddiff.render import colours
from preddiff.render.overlay import greyed, opacity, overlay, rgb


def test_red_is_for_blue_is_against_white_is_nothing():
    red, blue, white = colours.signed(np.array([1.0, -1.0, 0.0]), 1.0).astype(int)
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]
    assert white.min() > 240


def test_the_scale_is_symmetric_and_unknown_is_on_no_scale():
    values = np.array([[0.5, -2.0], [np.nan, 1.0]])
    assert colours.limit(values) == 2
    assert colours.limit(np.zeros(3)) == 1
    assert colours.limit(np.full(3, np.nan)) == 1
    np.testing.assert_array_equal(colours.signed(values, 2)[1, 0], colours.UNKNOWN)
    assert not np.any(np.all(np.isclose(colours.signed(np.linspace(-1, 1, 256), 1),
                                        colours.UNKNOWN, atol=5), axis=-1))  # fmt: skip


def test_the_overlay_shows_the_picture_where_relevance_is_zero(rng):
    picture = rng.random((3, 4, 5))
    relevance = np.zeros((4, 5))
    relevance[1, 2], relevance[3, 3] = 2.0, np.nan
    painted = overlay(picture, relevance, 2.0)
    np.testing.assert_array_equal(painted[0], greyed(picture)[0])
    np.testing.assert_array_equal(painted[3, 3], greyed(picture)[3, 3])
    np.testing.assert_array_equal(painted[1, 2], colours.signed(np.array([2.0]), 2.0)[0])
    assert opacity(relevance, 2.0).max() == 1


def test_pictures_keep_their_place(rng):
    picture = np.zeros((3, 4, 6), dtype=np.float32)
    picture[0, 1, 5] = 1
    assert rgb(picture)[1, 5].tolist() == [255, 0, 0]
    assert rgb(picture[:1])[1, 5].tolist() == [255, 255, 255]
    as_image = Image.fromarray((255 * picture.transpose(1, 2, 0)).astype(np.uint8))
    np.testing.assert_array_equal(images.to_array(as_image), picture)


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
