"""Numbers to colours: red for, blue against, on scales that are symmetric."""

import numpy as np

from preddiff.render import colours


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


def test_only_what_is_above_the_share_is_coloured():
    under = np.full((6, 3), 130, dtype=np.uint8)
    values = np.array([2.0, 0.31, 0.29, np.nan, -0.31, -2.0])
    red, pale, none, unknown, bluish, blue = colours.thresholded(under, values, 2.0, 0.15).astype(
        int
    )
    assert none.tolist() == unknown.tolist() == [130] * 3
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]
    assert pale[0] > pale[2] + 30  # no grey
    assert bluish[2] > bluish[0] + 30


def test_a_scale_with_a_gap_begins_at_the_threshold():
    scale = colours.gapped(0.3).astype(int)
    share = np.abs(np.linspace(-1, 1, 256))
    grey = (scale == scale[:, :1]).all(axis=1)
    np.testing.assert_array_equal(grey, share <= 0.3)
    assert scale[0].tolist() == colours.table(colours.SIGNED)[0].tolist()
    assert scale[-1].tolist() == colours.table(colours.SIGNED)[-1].tolist()


def test_colours_are_those_of_float32_as_on_a_page():
    """0.1 in float32 is above 0.1, and so is its share of an end of 0.2 above one half."""
    end = float(np.float32(0.2))
    exact, rounded = np.array([0.1]), np.array([0.1], dtype=np.float32)
    np.testing.assert_array_equal(colours.signed(exact, end), colours.signed(rounded, end))
    assert colours.as_float32(exact)[0] == float(np.float32(0.1)) != 0.1
