import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, StationaryGaussian
from preddiff.samplers.base import fill
from preddiff.samplers.gaussian import natural
from samplers.textbook import direct

SHAPES = [(3, (20, 22), (6, 6)), (2, (17, 18), (4, 6)), (1, (12, 12, 13), (3, 3, 3))]


def made(channels, dimensions, patch):
    """A field whose channels look ahead of each other, so that transposing lags would be seen."""
    torus = 2 * patch + 1
    lags = np.fft.fftfreq(torus) * torus
    place = np.stack(np.meshgrid(*(lags,) * dimensions, indexing="ij"))
    values = np.empty((channels, channels, *place.shape[1:]))
    for a, b in np.ndindex(channels, channels):
        shift = np.reshape(
            [0.6 * (a - b), *(0.3 * (b - a),) * (dimensions - 1)], (-1, *(1,) * dimensions)
        )
        values[a, b] = 0.04 * np.exp(-((place + shift) ** 2).sum(axis=0) / 4)
    values[range(channels), range(channels), *(0,) * dimensions] += 0.01
    mean = np.linspace(0.3, 0.6, channels)
    return StationaryGaussian(mean, values, patch, clip=False)


def dense(sampler):
    """The same normal, with a covariance that has an entry for each pair of values of a patch."""
    places = np.argwhere(np.ones(sampler.shape))
    mean = np.repeat(sampler.mean, np.prod(sampler.shape[1:]))
    covariance = sampler.field.covariance(places)
    return ConditionalGaussian(mean, covariance, sampler.shape, clip=False)


def corner_windows(spatial, size):
    """Windows in two corners, at the border, and inside."""
    far = np.array(spatial) - size
    return Windows(
        spatial, size, np.stack([far * 0, far // 2, far - 1, far, far * [0, *[1] * (len(far) - 1)]])
    )


@pytest.mark.parametrize(("channels", "spatial", "size"), SHAPES)
def test_mean_and_covariance_are_the_textbooks(rng, channels, spatial, size):
    sampler = made(channels, len(spatial), max(size) + 4)
    inputs = rng.random((channels, *spatial)).astype(np.float32)
    windows = corner_windows(spatial, size)
    values = channels * int(np.prod(size))
    for number, start in enumerate(windows.starts):
        # A weight of 1 at each value of the window: the sums are the values themselves.
        weights = np.zeros((values, channels, *spatial))
        box = tuple(slice(s, s + k) for s, k in zip(start, size, strict=True))
        weights[:, :, *box] = np.eye(values).reshape(values, channels, *size)
        one = windows.subset(np.array([number]))
        ((mean, covariance),) = sampler.project(weights, inputs, one)
        expected, spread = direct(dense(sampler), inputs, start, size)
        own = inputs[:, *box].reshape(-1)
        np.testing.assert_allclose(mean[:, 0] + own, expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(covariance[:, :, 0], spread, rtol=0, atol=1e-12)


def test_draws_have_the_conditional_mean_and_covariance(rng):
    sampler = made(2, 2, 8)
    inputs = rng.random((2, 11, 12)).astype(np.float32)
    for start in ([3, 4], [0, 8]):
        windows = Windows((11, 12), (4, 4), np.array([start]))
        draws = sampler.draw(inputs, windows, samples=20_000, seed=3, valid=None)
        flat = draws[0].reshape(len(draws[0]), -1).astype(np.float64)
        mean, covariance = direct(dense(sampler), inputs, start, (4, 4))
        deviation = np.sqrt(np.diag(covariance))
        assert np.abs((flat.mean(axis=0) - mean) / deviation).max() < 4.5 / np.sqrt(len(flat))
        scale = np.outer(deviation, deviation)
        assert np.abs((np.cov(flat.T) - covariance) / scale).max() < 5 * np.sqrt(2 / len(flat))


def test_large_windows_agree_on_projections(rng):
    """Of a 40-pixel window, whose covariance has 23 million entries, sums with random weights."""
    sampler, count = StationaryGaussian.natural(44, clip=False), 1000
    inputs = rng.random((3, 60, 60)).astype(np.float32)
    windows = Windows((60, 60), (40, 40), np.array([[9, 20]]))
    weights = np.zeros((6, 3, 60, 60))
    # Smooth and rough ones: most of the spread is in what is smooth.
    y, x = np.mgrid[:40, :40] / 40
    weights[:3, :, 9:49, 20:60] = (
        rng.normal(size=(3, 3, 1, 1)) * np.sin(np.pi * y) * np.sin(np.pi * x)
    )
    weights[3:, :, 9:49, 20:60] = rng.normal(size=(3, 3, 40, 40))
    ((mean, covariance),) = sampler.project(weights, inputs, windows)
    draws = sampler.draw(inputs, windows, samples=count, seed=1, valid=None)[0].astype(np.float64)
    change = draws - inputs[:, 9:49, 20:60]
    sums = np.tensordot(change, weights[:, :, 9:49, 20:60], ((1, 2, 3),) * 2)
    spread = np.sqrt(np.diag(covariance[:, :, 0]))
    assert np.abs((sums.mean(axis=0) - mean[:, 0]) / spread).max() < 4 / np.sqrt(count)
    wanted = covariance[:, :, 0] / np.outer(spread, spread)
    found = np.cov(sums.T) / np.outer(spread, spread)
    assert np.abs(found - wanted).max() < 4.5 * np.sqrt(2 / count)


def test_draws_come_in_pairs_around_the_mean(rng):
    sampler = made(3, 2, 7).paired()
    inputs = rng.random((3, 12, 12)).astype(np.float32)
    windows = Windows.over((12, 12), 3, 4)
    draws = sampler.draw(inputs, windows, samples=7, seed=1, valid=None)
    assert sampler.group == 2
    centres = (draws[:, 0::2][:, :3] + draws[:, 1::2]) / 2
    np.testing.assert_allclose(centres, np.repeat(centres[:, :1], 3, axis=1), atol=1e-6)
    assert np.abs(draws[:, 0] - draws[:, 2]).max() > 0.05
    fewer = sampler.draw(inputs, windows, samples=4, seed=1, valid=None)
    np.testing.assert_array_equal(fewer, draws[:, :4])


def test_draws_are_clipped_unless_asked_otherwise(rng):
    inputs = rng.random((3, 60, 60)).astype(np.float32)
    windows = Windows.over((60, 60), 36, 12)
    free = StationaryGaussian.natural(40, clip=False).draw(inputs, windows, 2, 0, (0, 1))
    clipped = StationaryGaussian.natural(40).draw(inputs, windows, 2, 0, (0, 1))
    assert free.max() > 1
    np.testing.assert_array_equal(np.clip(free, 0, 1), clipped)


def test_windows_hidden_together_are_not_seen(rng):
    sampler = StationaryGaussian.natural(40)
    windows = Windows.over((80, 80), 36, 44)
    one = rng.random((3, 80, 80)).astype(np.float32)
    hidden = windows.coverage > 0
    other = np.where(hidden, 0.5, one).astype(np.float32)
    filled = fill(sampler, one, windows, 1, 7, (0, 1))
    np.testing.assert_array_equal(filled, fill(sampler, other, windows, 1, 7, (0, 1)))
    np.testing.assert_array_equal(filled[0][:, ~hidden], one[:, ~hidden])


@pytest.mark.parametrize("sampler", [made(2, 2, 6), StationaryGaussian.natural(14, colours=1)])
def test_a_sampler_comes_back_from_its_file(rng, tmp_path, sampler):
    sampler.save(tmp_path / "s.npz")
    back = StationaryGaussian.load(tmp_path / "s.npz")
    assert back.sha256 == sampler.sha256
    assert back.summary() == sampler.summary()
    inputs = rng.random((sampler.shape[0], 40, 40)).astype(np.float32)
    windows = Windows.over((40, 40), 4, 12)
    sides = [each.draw(inputs, windows, 2, 5, None) for each in (sampler, back)]
    np.testing.assert_array_equal(*sides)
    part = back.central(5)
    assert part.shape == (sampler.shape[0], 5, 5)
    assert part.sha256 != sampler.sha256


def test_a_fit_finds_the_field_that_inputs_were_drawn_of():
    truth = made(2, 2, 8)
    random = np.random.default_rng(4)
    inputs = [truth.field.draw(random, 1)[0] + truth.mean[:, None, None] for _ in range(600)]
    fitted = StationaryGaussian.fit(inputs, patch=8)
    assert fitted.facts == {"inputs": 600, "blocks": 600}
    np.testing.assert_allclose(fitted.mean, truth.mean, atol=0.01)
    near = np.ix_([0, 1], [0, 1], [0, 1, 2, -1, -2], [0, 1, 2, -1, -2])
    found = fitted.field.autocovariance[near]
    # The fade towards the border of a block takes some per cent of what is two pixels apart.
    np.testing.assert_allclose(found, truth.field.autocovariance[near], atol=0.004)
    plain = StationaryGaussian.fit([np.full((1, 9, 9), 0.4)] * 2, patch=4)
    windows = Windows.over((9, 9), 2, 7)
    draws = plain.draw(np.full((1, 9, 9), 0.4, np.float32), windows, 3, 0, None)
    np.testing.assert_allclose(draws, 0.4, atol=1e-4)


def test_the_embedded_statistics_are_extended_from_the_known_lags():
    mean, known = natural.statistics(3)
    sampler = StationaryGaussian.natural(48)
    values = sampler.field.autocovariance
    np.testing.assert_allclose(values[:, :, 0, 0], known[:, :, 31, 31], atol=1e-12)
    np.testing.assert_array_equal(sampler.mean, mean)
    for y, x in ((0, 1), (3, 0), (2, -5), (16, 8), (0, 31), (31, 0)):
        gone = known[1, 1, 31, 31] - known[1, 1, 31 + y, 31 + x]
        assert known[1, 1, 31, 31] - values[1, 1, y, x] == pytest.approx(gone, rel=0.13)
    assert StationaryGaussian.natural(40, colours=1).shape == (1, 40, 40)
    with pytest.raises(SamplerError, match="has 4 channels"):
        StationaryGaussian.natural(40, colours=4)


def test_a_field_has_to_be_one(rng):
    good = made(2, 2, 4)
    values = good.field.autocovariance
    with pytest.raises(SamplerError, match=r"mean of shape \(3,\) and .* \(2, 2, 9, 9\): expected"):
        StationaryGaussian(np.zeros(3), values, 4)
    with pytest.raises(SamplerError, match="NaN or infinite"):
        StationaryGaussian([0.5, np.nan], values, 4)
    with pytest.raises(SamplerError, match="patch=5: expected 1 to 4, half of the torus of 9×9"):
        good.central(5)
    with pytest.raises(SamplerError, match="not positive definite"):
        StationaryGaussian(good.mean, np.ones((2, 2, 9, 9)), 4)
    inputs = rng.random((3, 90, 90)).astype(np.float32)
    with pytest.raises(SamplerError, match="7,200 values around a window of 10: .* smaller margin"):
        StationaryGaussian.natural(50).check(inputs, Windows.over((90, 90), 10), (0, 1))
    for inputs, message in (([], "0 inputs are too few"), ([np.ones((1, 9, 9))] * 1, "1 inputs")):
        with pytest.raises(SamplerError, match=message):
            StationaryGaussian.fit(inputs, patch=4)
    with pytest.raises(SamplerError, match="input 1 has blocks of shape"):
        StationaryGaussian.fit([np.ones((1, 9, 9)), np.ones((2, 9, 9))], patch=4)
