import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers.gaussian.covariance import (
    precision,
    relative_to,
    solve,
    square_root,
    whitening,
)


@pytest.mark.parametrize(
    ("mean", "covariance", "shape", "message"),
    [
        (np.zeros(4), np.eye(3), (1, 2, 2), r"expected \(4,\) and \(4, 4\)"),
        (np.zeros(4), np.eye(4) * np.nan, (1, 2, 2), "NaN or infinite"),
        (np.zeros(4), np.triu(np.ones((4, 4))), (1, 2, 2), "not symmetric"),
        (np.zeros(4), -np.eye(4), (1, 2, 2), "negative eigenvalues"),
    ],
)
def test_a_normal_that_is_none_is_refused(mean, covariance, shape, message):
    with pytest.raises(SamplerError, match=message):
        ConditionalGaussian(mean, covariance, shape)


def random_covariance(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def test_inverse_factor_and_whitening_are_what_they_say(rng):
    covariance = random_covariance(rng, 6)
    right = rng.normal(size=(6, 3))
    np.testing.assert_allclose(precision(covariance) @ covariance, np.eye(6), atol=1e-8)
    np.testing.assert_allclose(covariance @ solve(covariance, right), right, atol=1e-8)
    factor, unit = square_root(covariance), whitening(covariance)
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-10)
    np.testing.assert_allclose(unit @ covariance @ unit.T, np.eye(6), atol=1e-8)


def test_a_matrix_relative_to_a_covariance_is_what_whitening_makes_of_it(rng):
    covariance, matrix = random_covariance(rng, 5), random_covariance(rng, 5)
    unit = whitening(covariance)
    found = relative_to(np.linalg.cholesky(covariance), matrix)
    np.testing.assert_allclose(found, unit @ matrix @ unit.T, atol=1e-8)


def test_singular_covariances_have_no_inverse_but_a_solution_and_a_factor():
    covariance = np.ones((3, 3))
    assert precision(covariance) is None
    assert precision(np.diag([1.0, 1e-12])) is None
    found = solve(covariance, np.ones((3, 1)))
    np.testing.assert_allclose(covariance @ found, 1, atol=1e-12)
    factor = square_root(covariance)
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-12)
