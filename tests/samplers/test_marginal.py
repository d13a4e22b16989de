import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Marginal, RowGaussian


def test_marginal_draws_stand_at_the_same_place_and_are_all_different(rng):
    pool = rng.random((6, 1, 8, 8)).astype(np.float32)
    windows = Windows.over((8, 8), 3)
    draws = Marginal(pool).draw(pool[0], windows, samples=6, seed=0, valid=None)
    for start, several in zip(windows.starts, draws, strict=True):
        y, x = start
        expected = pool[:, :, y : y + 3, x : x + 3]
        order = np.argsort(several[:, 0, 0, 0])
        np.testing.assert_array_equal(several[order], expected[np.argsort(expected[:, 0, 0, 0])])


def test_without_replacement_the_mean_of_all_draws_is_that_of_the_pool(rng):
    pool = rng.random((6, 2, 8, 8)).astype(np.float32)
    windows = Windows.over((8, 8), 3)
    draws = Marginal(pool).draw(pool[0], windows, samples=6, seed=3, valid=None)
    y, x = windows.starts[9]
    expected = pool[:, :, y : y + 3, x : x + 3].mean(axis=0)
    np.testing.assert_allclose(draws[9].mean(axis=0), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (np.zeros((0, 1, 4, 4)), r"pool of shape \(0, 1, 4, 4\): expected \(n, channel"),
        (np.full((2, 1, 4, 4), np.inf), "NaN or infinite; remove those inputs"),
    ],
)
def test_pools_that_cannot_be_drawn_from_are_refused(pool, message):
    with pytest.raises(SamplerError, match=message):
        Marginal(pool)


def test_an_input_of_another_shape_is_refused(rng):
    inputs, windows = np.zeros((1, 5, 4), dtype=np.float32), Windows.over((5, 4), 2)
    with pytest.raises(SamplerError, match=r"the pool's inputs have shape \(1, 4, 4\), this one"):
        Marginal(rng.random((3, 1, 4, 4))).check(inputs, windows, None)


@pytest.mark.parametrize("make", [Marginal, RowGaussian.fit])
def test_a_table_with_categories_has_to_be_encoded(make):
    with pytest.raises(SamplerError, match=r"object and shape \(2, 2\).*columns.encode"):
        make(np.array([[61.0, "Graz"], [58.0, "Wien"]], dtype=object))
