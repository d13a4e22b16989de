import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import ConditionalGaussian
from samplers.textbook import random_normal


def test_the_central_part_has_the_moments_of_that_part(rng):
    sampler = random_normal(rng, (2, 7, 7))
    part = sampler.central(5)
    positions = np.arange(98).reshape(2, 7, 7)[:, 1:6, 1:6].reshape(-1)
    np.testing.assert_array_equal(part.mean, sampler.mean[positions])
    np.testing.assert_array_equal(part.covariance, sampler.covariance[np.ix_(positions, positions)])
    with pytest.raises(SamplerError, match="needs patches of 9, the sampler was fitted on .* 7×7"):
        sampler.central(9)


def test_each_offset_is_conditioned_once(rng):
    sampler = random_normal(rng, (1, 5, 5))
    first = sampler.conditional((3, 3), (1, 1))
    assert sampler.conditional((3, 3), (1, 1)) is first
    assert sampler.conditional((3, 3), (0, 1)) is not first


def test_a_summary_says_what_it_was_fitted_on(rng):
    fitted = ConditionalGaussian.fit(list(rng.normal(size=(9, 1, 12, 12))), patch=4, clip=False)
    summary = fitted.summary()
    assert summary["patch"] == "4×4"
    assert summary["inputs"] == "9"
    assert summary["clipped"] == "no"
    assert summary["sha256"] == fitted.sha256
