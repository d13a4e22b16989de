"""Several windows hidden together: nothing that is hidden may be seen."""

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import (
    Blurred,
    ChannelwiseGaussian,
    ConditionalGaussian,
    Constant,
    Marginal,
    StationaryGaussian,
)
from preddiff.samplers.base import fill, hide
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


RING = np.zeros((6, 6), dtype=bool)  # neither boxes nor connected
RING[1:5, 1:5] = True
RING[2:4, 2:4] = RING[1, 1] = False
RING[5, 0] = True


def conditional_law(sampler, inputs, hidden):
    """The textbook's normal of everything hidden, given everything visible."""
    hidden, cov = hidden.ravel(), sampler.covariance
    gain = cov[np.ix_(hidden, ~hidden)] @ np.linalg.inv(cov[np.ix_(~hidden, ~hidden)])
    mean = 0.5 + gain @ (inputs.ravel()[~hidden] - 0.5)
    return mean, cov[np.ix_(hidden, hidden)] - gain @ cov[np.ix_(~hidden, hidden)]


def test_places_of_any_shape_have_the_joint_conditional_law(normal, rng, monkeypatch):
    monkeypatch.setattr(surrounded, "_SWEEPS", 6)
    inputs = rng.random((1, 6, 6)).astype(np.float32)
    draws = hide(normal, inputs, RING, 400, 3, None).reshape(400, -1)[:, RING.ravel()]
    mean, rest = conditional_law(normal, inputs, RING)
    deviation = np.sqrt(np.diag(rest))
    assert np.abs((draws.mean(axis=0) - mean) / deviation).max() < 4.5 / np.sqrt(400)
    spread = np.outer(deviation, deviation)
    assert np.abs((np.cov(draws.T) - rest) / spread).max() < 4.5 * np.sqrt(2 / 400)


def test_a_single_block_is_drawn_exactly_given_what_is_visible_in_it(rng):
    # A patch is the whole input, and one of its four blocks holds all that is hidden.
    factor = rng.normal(size=(48, 48)) / 10
    sampler = ConditionalGaussian(
        np.full(48, 0.5), factor @ factor.T + 0.01 * np.eye(48), (3, 4, 4), clip=False
    )
    inputs = rng.random((3, 4, 4)).astype(np.float32)
    hidden = np.zeros((4, 4), dtype=bool)
    hidden[1, :2] = hidden[0, 1] = True
    draws = hide(sampler, inputs, hidden, 600, 5, None).reshape(600, -1)
    every = np.broadcast_to(hidden, (3, 4, 4))
    mean, rest = conditional_law(sampler, inputs, every)
    off = (draws[:, every.ravel()].mean(axis=0) - mean) / np.sqrt(np.diag(rest))
    assert np.abs(off).max() < 4.5 / np.sqrt(600)


SAMPLERS = ["conditional", "constant", "marginal", "blurred"]


def sampler_of(kind, normal, rng):
    pool = rng.random((5, 1, 6, 6)).astype(np.float32)
    return {
        "conditional": normal, "constant": Constant(0.3), "marginal": Marginal(pool),
        "blurred": Blurred(1),
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", SAMPLERS)
def test_what_is_visible_around_a_shape_stays(kind, normal, rng):
    sampler = sampler_of(kind, normal, rng)
    one = rng.random((1, 6, 6)).astype(np.float32)
    filled = hide(sampler, one, RING, 1, 7, None)
    assert filled.dtype == np.float32
    assert filled.flags.writeable
    np.testing.assert_array_equal(filled[0][:, ~RING], one[:, ~RING])
    assert (filled[0] != one)[:, RING].all()
    other = np.where(RING, rng.random((1, 6, 6)), one).astype(np.float32)
    if kind != "blurred":
        np.testing.assert_array_equal(filled, hide(sampler, other, RING, 1, 7, None))
    nothing = hide(sampler, one, np.zeros((6, 6), dtype=bool), 2, 7, None)
    np.testing.assert_array_equal(nothing, np.stack([one] * len(nothing)))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_windows_are_hidden_alike_as_windows_and_as_a_shape(kind, normal, rng):
    sampler = sampler_of(kind, normal, rng)
    inputs = rng.random((1, 6, 6)).astype(np.float32)
    by_windows = fill(sampler, inputs, PAIR, 1, 7, None)
    as_shape = hide(sampler, inputs, hidden_of(PAIR), 1, 7, None)
    if kind == "conditional":  # other blocks, of the same law
        assert (by_windows != as_shape).any()
    else:
        np.testing.assert_array_equal(by_windows, as_shape)


def test_a_place_has_the_same_draw_whatever_else_is_hidden_far_away(rng):
    sampler = ConditionalGaussian.natural(8)
    picture = rng.random((3, 40, 40)).astype(np.float32)
    alone, far = np.zeros((2, 40, 40), dtype=bool)
    alone[3:8, 4:9] = True
    far[25:33, 20:39] = True
    one = hide(sampler, picture, alone, 2, 11, (0, 1))
    both = hide(sampler, picture, alone | far, 2, 11, (0, 1))
    # The first draw is given the mean of what is visible, which differs by little.
    np.testing.assert_allclose(both[:, :, alone], one[:, :, alone], atol=0.02)
    assert (both[0][:, alone] != both[1][:, alone]).mean() > 0.5


def test_values_of_a_node_are_drawn_together_and_within_their_range(rng):
    maps = rng.random((40, 2, 6, 6))
    sampler = ChannelwiseGaussian.fit(maps, patch=4)
    one = rng.random((2, 6, 6)).astype(np.float32)
    other = np.where(hidden_of(PAIR), rng.random((2, 6, 6)), one).astype(np.float32)
    for draw, hidden in ((fill, PAIR), (hide, hidden_of(PAIR))):
        filled = draw(sampler, one, hidden, 2, 3, None)
        np.testing.assert_array_equal(filled, draw(sampler, other, hidden, 2, 3, None))
        assert filled.min() >= 0
        assert filled.max() <= 1
        assert (filled[:, 0] != filled[:, 1])[:, hidden_of(PAIR)].all()


def test_samplers_without_a_method_for_shapes_fill_pixel_by_pixel(rng):
    class Zeros:
        def draw(self, inputs, windows, samples, seed, valid):
            return np.zeros((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)

    inputs = rng.random((1, 6, 6)).astype(np.float32)
    filled = hide(Zeros(), inputs, RING, 2, 0, None)
    np.testing.assert_array_equal(filled, np.where(RING, 0, np.stack([inputs] * 2)))


def test_a_field_hides_places_by_the_normal_of_smaller_patches(rng):
    field = StationaryGaussian.natural(44)
    picture = rng.random((3, 60, 60)).astype(np.float32)
    hidden = rng.random((60, 60)) < 0.05
    filled = hide(field, picture, hidden, 2, 3, (0, 1))
    np.testing.assert_array_equal(filled[:, :, ~hidden], np.stack([picture] * 2)[:, :, ~hidden])
    expected = hide(ConditionalGaussian.natural(20), picture, hidden, 2, 3, (0, 1))
    # The field's covariances are those of the natural patches, but for their extension.
    assert np.corrcoef(filled[:, :, hidden].ravel(), expected[:, :, hidden].ravel())[0, 1] > 0.99
