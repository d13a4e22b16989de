import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers.gaussian.patchwise import grouped
from samplers.textbook import direct, random_normal


@pytest.mark.parametrize("position", [(4, 4), (0, 0), (0, 5)])
def test_draws_have_the_conditional_mean_and_covariance(rng, position):
    sampler = random_normal(rng, (2, 5, 5))
    inputs = rng.normal(size=(2, 8, 8)).astype(np.float32)
    windows = Windows((8, 8), (3, 3), np.array([position]))
    draws = sampler.draw(inputs, windows, samples=40_000, seed=3, valid=None)
    flat = draws[0].reshape(len(draws[0]), -1).astype(np.float64)
    mean, covariance = direct(sampler, inputs, position, (3, 3))
    error = np.sqrt(np.diag(covariance) / len(flat))
    assert np.all(np.abs(flat.mean(axis=0) - mean) < 5 * error)
    deviation = np.sqrt(np.diag(covariance))
    scale = np.outer(deviation, deviation)
    assert np.all(np.abs(np.cov(flat.T) - covariance) < 5 * 1.5 * scale / np.sqrt(len(flat)))


def test_draws_are_clipped_unless_asked_otherwise(rng):
    inputs = rng.random((1, 9, 9)).astype(np.float32)
    windows = Windows.over((9, 9), 3)
    wild = random_normal(rng, (1, 5, 5), clip=True)
    clipped = wild.draw(inputs, windows, samples=4, seed=0, valid=(0.0, 1.0))
    assert clipped.min() == 0
    assert clipped.max() == 1
    free = ConditionalGaussian(wild.mean, wild.covariance, wild.shape, clip=False)
    draws = free.draw(inputs, windows, samples=4, seed=0, valid=(0.0, 1.0))
    assert draws.max() > 1
    np.testing.assert_array_equal(np.clip(draws, 0, 1), clipped)


def test_pairs_are_the_same_noise_with_both_signs(rng):
    sampler = random_normal(rng, (1, 5, 5))
    inputs, windows = rng.normal(size=(1, 9, 9)).astype(np.float32), Windows.over((9, 9), 3)
    draws = sampler.paired().draw(inputs, windows, 5, 0, None)
    means, _ = sampler.moments(inputs, windows)
    pairs = (draws[:, 0:4:2] + draws[:, 1:4:2]).reshape(len(windows), 2, -1)
    np.testing.assert_allclose(pairs, 2 * np.stack([means, means], axis=1), atol=1e-5)
    assert sampler.group == 1
    assert sampler.paired().group == 2


def test_rows_that_are_the_same_are_one_group():
    keys = np.array([[1, 2], [0, 5], [1, 2], [0, 0], [0, 5]])
    groups = grouped(keys, (2, 6))
    assert [group.tolist() for group in groups] == [[3], [1, 4], [0, 2]]


@pytest.mark.parametrize(
    ("patch", "size", "shape", "message"),
    [
        ((2, 5, 5), 3, (1, 9, 9), "expected as many channels and dimensions"),
        ((1, 5, 5), 5, (1, 9, 9), "a patch of 5 leaves nothing around a window of 5"),
        ((1, 5, 5), 3, (1, 4, 9), "a patch of 5 .* has no room in an input of 4×9"),
    ],
)
def test_inputs_that_cannot_be_drawn_for_are_refused(rng, patch, size, shape, message):
    inputs = rng.random(shape).astype(np.float32)
    with pytest.raises(SamplerError, match=message):
        random_normal(rng, patch).check(inputs, Windows.over(shape[1:], size), None)


def test_values_outside_of_what_draws_are_clipped_to_are_refused(rng):
    windows = Windows.over((9, 9), 3)
    inputs = np.full((1, 9, 9), 7, dtype=np.float32)
    with pytest.raises(
        SamplerError, match=r"values from 7 to 7, but draws are clipped to \[0, 1\]"
    ):
        random_normal(rng, (1, 5, 5), clip=True).check(inputs, windows, (0.0, 1.0))
    random_normal(rng, (1, 5, 5)).check(inputs, windows, (0.0, 1.0))
