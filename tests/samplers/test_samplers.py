"""Promises that all samplers keep."""

import numpy as np
import pytest

from preddiff.method.windows import Windows
from preddiff.samplers import Constant
from samplers.textbook import everything


@pytest.mark.parametrize("kind", range(4))
def test_a_draw_depends_on_seed_place_and_number_alone(rng, kind):
    sampler = everything(rng)[kind]
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    windows = Windows.over((16, 16), 3)
    every = sampler.draw(inputs, windows, samples=5, seed=1, valid=(0, 1))
    which = rng.permutation(len(windows))[:17]
    some = sampler.draw(inputs, windows.subset(which), samples=5, seed=1, valid=(0, 1))
    np.testing.assert_allclose(some, every[which], rtol=0, atol=1e-7)
    fewer = sampler.draw(inputs, windows, samples=2, seed=1, valid=(0, 1))
    np.testing.assert_allclose(fewer, every[:, :2], rtol=0, atol=1e-7)
    other = sampler.draw(inputs, windows, samples=5, seed=2, valid=(0, 1))
    assert np.array_equal(other, every) == isinstance(sampler, Constant)


@pytest.mark.parametrize("kind", range(3))
def test_windows_have_draws_of_their_own(rng, kind):
    """Beside each other too: else the errors of a pixel's windows would not be independent."""
    sampler = everything(rng)[kind]
    flat = np.full((3, 16, 16), 0.5, dtype=np.float32)
    windows = Windows((16, 16), (3, 3), np.array([[6, 6], [6, 7], [7, 6]]))
    first, right, below = sampler.draw(flat, windows, samples=5, seed=0, valid=(0, 1))
    assert not np.allclose(first, right, atol=1e-3)
    assert not np.allclose(first, below, atol=1e-3)
