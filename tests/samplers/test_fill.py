"""Several windows hidden together: nothing that is hidden may be seen."""

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Blurred, ConditionalGaussian, Constant, Marginal
from preddiff.samplers.base import fill
from preddiff.samplers.gaussian import surrounded

PAIR = Windows.over((6, 6), 2, 2).subset(np.array([0, 1, 8]))  # two neighbours, and one apart


@pytest.fixture
def normal(rng):
    """A normal over whole inputs of 1×6×6 whose neighbours are alike."""
    y, x = np.mgrid[:6, :6].reshape(2, -1)
    distance = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    covariance = 0.04 * np.exp(-distance / 4) + 0.01 * np.eye(36)
    return ConditionalGaussian(np.full(36, 0.5), covariance, (1, 6, 6), clip=False)


def hidden_of(windows):
    return windows.coverage > 0


@pytest.mark.parametrize("kind", ["conditional", "constant", "marginal"])
def test_what_is_hidden_has_no_influence_and_what_is_visible_stays(normal, rng, kind):
    pool = rng.random((5, 1, 6, 6)).astype(np.float32)
    sampler = {"conditional": normal, "constant": Constant(0.3), "marginal": Marginal(pool)}[kind]
    one = rng.random((1, 6, 6)).astype(np.float32)
    hidden = hidden_of(PAIR)
    other = np.where(hidden, rng.random((1, 6, 6)), one).astype(np.float32)
    filled = fill(sampler, one, PAIR, 1, 7, None)
    np.testing.assert_array_equal(filled, fill(sampler, other, PAIR, 1, 7, None))
    np.testing.assert_array_equal(filled[0][:, ~hidden], one[:, ~hidden])
    assert (filled[0] != one)[:, hidden].any()
    if kind == "conditional":
        assert (fill(sampler, one, PAIR, 1, 8, None) != filled).any()


def test_after_many_sweeps_draws_have_the_joint_conditional_law(normal, rng, monkeypatch):
    monkeypatch.setattr(surrounded, "_SWEEPS", 8)
    inputs = rng.random((1, 6, 6)).astype(np.float32)
    hidden = hidden_of(PAIR).ravel()
    draws = fill(normal, inputs, PAIR, 800, 3, None).reshape(800, -1)[:, hidden].astype(np.float64)
    # The textbook's conditional normal of everything hidden, given everything visible.
    cov = normal.covariance
    gain = cov[np.ix_(hidden, ~hidden)] @ np.linalg.inv(cov[np.ix_(~hidden, ~hidden)])
    mean = 0.5 + gain @ (inputs.ravel()[~hidden] - 0.5)
    rest = cov[np.ix_(hidden, hidden)] - gain @ cov[np.ix_(~hidden, hidden)]
    deviation = np.sqrt(np.diag(rest))
    assert np.abs((draws.mean(axis=0) - mean) / deviation).max() < 4.5 / np.sqrt(800)
    spread = np.outer(deviation, deviation)
    assert np.abs((np.cov(draws.T) - rest) / spread).max() < 4.5 * np.sqrt(2 / 800)


def test_one_member_of_the_pool_fills_all_windows(rng):
    pool = rng.random((5, 1, 6, 6)).astype(np.float32)
    filled = fill(Marginal(pool), pool[0], PAIR, 5, 1, None)
    hidden = hidden_of(PAIR)
    found = {next(n for n in range(5) if (each == pool[n])[:, hidden].all()) for each in filled}
    assert found == set(range(5))


def test_samplers_without_a_fill_of_their_own_fill_window_by_window(rng):
    class Zeros:
        def draw(self, inputs, windows, samples, seed, valid):
            return np.zeros((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)

    inputs = rng.random((1, 6, 6)).astype(np.float32)
    filled = fill(Zeros(), inputs, PAIR, 2, 0, None)
    np.testing.assert_array_equal(filled, np.where(hidden_of(PAIR), 0, np.stack([inputs] * 2)))


def test_a_blurred_window_keeps_the_mean_of_a_plain_picture(rng, tmp_path):
    plain = np.full((3, 6, 6), 0.4, dtype=np.float32)
    np.testing.assert_allclose(fill(Blurred(2), plain, PAIR, 1, 0, None)[0], plain, rtol=1e-6)
    noisy = rng.random((3, 6, 6)).astype(np.float32)
    drawn = Blurred(2).draw(noisy, Windows.over((6, 6), 6), 1, 0, None)[0, 0]
    assert drawn.std() < 0.5 * noisy.std()
    Blurred(2).save(tmp_path / "blur.npz")
    assert Blurred.load(tmp_path / "blur.npz").sha256 == Blurred(2).sha256 != Blurred(3).sha256


@pytest.mark.parametrize("sigma", [0, -1, np.nan, np.inf])
def test_a_blur_of_nothing_is_refused(sigma):
    with pytest.raises(SamplerError, match="expected more than 0, e.g. blurred:12"):
        Blurred(sigma)
