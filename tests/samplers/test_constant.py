import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Constant


def test_every_draw_is_the_value_of_each_channel():
    windows = Windows.over((6, 6), 2)
    inputs = np.zeros((3, 6, 6), dtype=np.float32)
    draws = Constant([0.1, 0.2, 0.3]).draw(inputs, windows, 2, 0, (0.0, 1.0))
    assert draws.shape == (25, 2, 3, 2, 2)
    np.testing.assert_array_equal(draws[7, 1, :, 0, 1], np.float32([0.1, 0.2, 0.3]))


def test_a_weighted_sum_changes_by_what_the_value_changes(rng):
    windows, inputs = Windows.over((6, 6), 2), rng.random((2, 6, 6)).astype(np.float32)
    weights = rng.normal(size=(1, 2, 6, 6))
    ((mean, covariance),) = Constant(0.5).project(weights, inputs, windows)
    y, x = windows.starts[7]
    box = (slice(None), slice(y, y + 2), slice(x, x + 2))
    assert mean[0, 7] == pytest.approx(np.sum(weights[0][box] * (0.5 - inputs[box])))
    assert not covariance.any()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "expected one finite number, or one per channel"),
        ([[1, 2], [3, 4]], r"constant value \[\[1.0, 2.0\], \[3.0, 4.0\]\]: expected one finite"),
    ],
)
def test_values_that_are_no_colour_are_refused(value, message):
    with pytest.raises(SamplerError, match=message) as caught:
        Constant(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [([0.1, 0.2], "has 2 values, the input 3 channels"), (128, "divide 8-bit values by 255")],
)
def test_values_that_do_not_go_with_the_input_are_refused(value, message):
    inputs, windows = np.zeros((3, 6, 6), dtype=np.float32), Windows.over((6, 6), 2)
    with pytest.raises(SamplerError, match=message):
        Constant(value).check(inputs, windows, (0.0, 1.0))
    Constant(128, clip=False).check(inputs, windows, (0.0, 1.0))
