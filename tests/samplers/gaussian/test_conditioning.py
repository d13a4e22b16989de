import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers.gaussian.conditioning import by_covariance, by_precision
from preddiff.samplers.gaussian.patches import split_indices
from samplers.textbook import direct, random_normal

POSITIONS_2D = [(5, 5), (0, 5), (9, 5), (5, 0), (5, 9), (0, 0), (0, 9), (9, 0), (9, 9), (1, 8)]


POSITIONS_3D = [(3, 3, 3), (0, 3, 3), (3, 0, 3), (3, 3, 5), (0, 0, 0), (5, 5, 5), (5, 0, 1)]


@pytest.mark.parametrize(
    ("shape", "patch", "size", "positions"),
    [
        ((3, 12, 12), (3, 7, 7), (3, 3), POSITIONS_2D),
        ((1, 10, 10), (1, 5, 5), (1, 1), POSITIONS_2D),
        (
            (1, 12, 12),
            (1, 6, 6),
            (3, 3),
            POSITIONS_2D,
        ),  # l - k odd: one pixel more after it
        ((1, 8, 8, 8), (1, 5, 5, 5), (3, 3, 3), POSITIONS_3D),
    ],
)
def test_conditional_moments_equal_the_textbook_everywhere(rng, shape, patch, size, positions):
    sampler = random_normal(rng, patch)
    inputs = rng.normal(size=shape).astype(np.float32)
    windows = Windows(shape[1:], size, np.array(positions))
    mean, covariance = sampler.moments(inputs, windows)
    for n, position in enumerate(positions):
        expected_mean, expected_covariance = direct(sampler, inputs, position, size)
        np.testing.assert_allclose(mean[n], expected_mean, atol=1e-8)
        np.testing.assert_allclose(covariance[n], expected_covariance, atol=1e-8)


def test_a_singular_covariance_is_usable(rng):
    """Pixels that are copies of each other: the window is known exactly from the rest."""
    sampler = ConditionalGaussian(np.zeros(9), np.ones((9, 9)), (1, 3, 3), clip=False)
    inputs = np.full((1, 5, 5), 0.7, dtype=np.float32)
    draws = sampler.draw(inputs, Windows.over((5, 5), 1), samples=2, seed=0, valid=None)
    np.testing.assert_allclose(draws, 0.7, atol=1e-6)


def test_by_precision_and_by_covariance_are_the_same(rng):
    root = rng.normal(size=(9, 9))
    mean, covariance = rng.normal(size=9), root @ root.T + 0.1 * np.eye(9)
    window, rest = split_indices((1, 3, 3), (1, 0), (2, 1))
    one = by_covariance(mean, covariance, window, rest)
    other = by_precision(mean, np.linalg.inv(covariance)[window], window, rest)
    np.testing.assert_allclose(other.gain, one.gain, atol=1e-8)
    np.testing.assert_allclose(other.covariance, one.covariance, atol=1e-8)
    patches = rng.normal(size=(4, 9))
    matrix, constant = one.change
    expected = one.mean(patches) - patches[:, window]
    np.testing.assert_allclose(patches @ matrix.T + constant, expected, atol=1e-10)


def test_a_precision_without_an_inverse_is_refused():
    rows, window, rest = np.ones((2, 4)), np.array([0, 1]), np.array([2, 3])
    with pytest.raises(SamplerError, match="values is singular; fit it anew"):
        by_precision(np.zeros(4), rows, window, rest)
