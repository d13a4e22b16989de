"""Arrays as text: what is packed can be unpacked, and how it is rounded."""

import base64
import gzip

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preddiff.viewer.encoding import THREE_DIGITS, pack_bytes, pack_floats, pack_text


def unpacked(text):
    """What the page's script makes of packed floats."""
    planes = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8).reshape(4, -1)
    return planes.T.copy().view("<f4").ravel()


def test_floats_come_back_in_order(rng):
    values = rng.normal(size=(3, 4)).astype(np.float32)
    values[1, 2] = np.nan
    np.testing.assert_array_equal(unpacked(pack_floats(values)), values.ravel())
    np.testing.assert_array_equal(unpacked(pack_floats(values.T)), values.T.ravel())


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1))
def test_three_digits_are_right(values):
    exact = np.array(values, dtype=np.float32).astype(np.float64)
    held = unpacked(pack_floats(exact, THREE_DIGITS)).astype(np.float64)
    assert (np.abs(held - exact) <= 2.0**-12 * np.abs(exact) + 2.0**-137).all()


def test_rounding_is_to_nearest_for_either_sign_and_carries_into_the_exponent():
    values = np.float32([1 + 0.75 * 2**-11, -1 - 0.75 * 2**-11, 2 - 2**-20, 1 + 0.25 * 2**-11])
    expected = [1 + 2**-11, -1 - 2**-11, 2, 1]
    np.testing.assert_array_equal(unpacked(pack_floats(values, THREE_DIGITS)), expected)


def test_bytes_and_text_come_back_and_are_the_same_each_time():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    held = gzip.decompress(base64.b64decode(pack_bytes(values.T)))
    assert held == values.T.tobytes()
    assert gzip.decompress(base64.b64decode(pack_text("×"))).decode() == "×"
    assert pack_bytes(values) == pack_bytes(values)


def test_planes_of_bytes_compress_better(rng):
    smooth = np.cumsum(rng.normal(size=4096)).astype(np.float32)
    plain = len(pack_bytes(smooth.view(np.uint8)))
    assert len(pack_floats(smooth)) < 0.95 * plain


def test_what_no_float32_can_hold_is_infinite():
    np.testing.assert_array_equal(
        unpacked(pack_floats(np.array([1e300, -1e300]))), [np.inf, -np.inf]
    )
