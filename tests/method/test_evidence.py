import math

import numpy as np
import pytest

from preddiff.method.evidence import INTERVAL, laplace, log2_odds, mean_and_error


def test_laplace_is_that_of_section_3():
    assert laplace(np.float64(0), 100, 10) == 1 / 110
    assert laplace(np.float64(1), 100, 10) == 101 / 110
    assert laplace(np.float64(0.3), math.inf, 10) == 0.3


def test_log2_odds_is_antisymmetric_and_does_not_lose_digits_near_one():
    p = np.array([0.5, 1e-12, 0.25])
    np.testing.assert_allclose(log2_odds(1 - p), -log2_odds(p), rtol=1e-5)
    assert log2_odds(np.float64(1 - 2**-40)) == pytest.approx(40, abs=1e-6)


def test_drawing_without_replacement_shrinks_the_error_to_nothing():
    values = np.arange(5.0)
    _, unlimited = mean_and_error(values)
    _, most = mean_and_error(values[:4], population=5)
    mean, every = mean_and_error(values, population=5)
    assert mean == 2
    assert every == 0
    assert most == pytest.approx(values[:4].std(ddof=1) / 2 * math.sqrt(1 / 5))
    assert unlimited > most


def test_one_draw_of_many_has_no_known_error():
    mean, error = mean_and_error(np.array([[0.4]]))
    assert mean == [0.4]
    assert np.isnan(error).all()


def test_the_interval_holds_95_of_100():
    from scipy.stats import norm

    assert norm.cdf(INTERVAL) - norm.cdf(-INTERVAL) == pytest.approx(0.95, abs=1e-4)
