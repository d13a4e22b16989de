import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.projection import of_certain_draw


def test_sums_are_over_every_window_and_channel(rng):
    windows = Windows.over((5, 6), 2)
    weights, change = rng.normal(size=(3, 2, 5, 6)), rng.normal(size=(2, 5, 6))
    mean, covariance = of_certain_draw(weights, change, windows)
    for n, (y, x) in enumerate(windows.starts):
        box = (..., slice(y, y + 2), slice(x, x + 2))
        expected = (weights[box] * change[box]).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(mean[:, n], expected, atol=1e-12)
    assert covariance.shape == (3, 3, len(windows))
    assert not covariance.any()
