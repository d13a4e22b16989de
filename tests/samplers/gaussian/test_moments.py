import numpy as np

from preddiff.samplers.gaussian.moments import Moments


def test_moments_of_rows_that_come_in_parts_are_those_of_all(rng):
    rows = rng.normal(size=(50, 8)) @ rng.normal(size=(8, 8))
    moments = Moments((2, 2, 2))
    for part in np.array_split(rows, [3, 4, 30]):
        moments.add(part)
    mean, covariance = moments.result()
    assert moments.count == 50
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(rows.T), atol=1e-12)


def test_large_values_lose_no_digits(rng):
    rows = rng.normal(size=(200, 4))
    moments = Moments((1, 2, 2))
    moments.add(rows + 1e8)
    np.testing.assert_allclose(moments.result()[1], np.cov(rows.T), atol=1e-6)
