"""Relevance over the greyed picture."""

import numpy as np
from PIL import Image

from preddiff.media import images
from preddiff.render import colours
from preddiff.render.overlay import greyed, opacity, overlay, rgb, stretched


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


def test_a_hidden_nodes_map_lies_over_the_whole_picture():
    values = np.arange(6.0).reshape(2, 3)
    wide = stretched(values, (4, 7))
    assert wide.shape == (4, 7)
    np.testing.assert_array_equal(wide[:, [0, 3, 6]], [[0, 1, 2]] * 2 + [[3, 4, 5]] * 2)
