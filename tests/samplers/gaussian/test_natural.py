import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import ConditionalGaussian
from preddiff.samplers.gaussian import natural


@pytest.mark.parametrize("channels", ["joint", "independent"])
@pytest.mark.parametrize("patch", [1, 5, 14, 24, 32])
def test_the_embedded_normal_serves_every_patch(patch, channels):
    sampler = ConditionalGaussian.natural(patch, channels)
    assert np.linalg.eigvalsh(sampler.covariance)[0] > 0
    blocks = sampler.covariance.reshape(3, patch**2, 3, patch**2)
    assert np.any(blocks[0, :, 1] != 0) == (channels == "joint")
    assert 0.15 < np.sqrt(sampler.covariance[0, 0]) < 0.4  # a channel's spread, in [0, 1]


def test_the_embedded_normal_is_stationary_and_serves_luminance():
    covariance = ConditionalGaussian.natural(6, colours=1).covariance.reshape(6, 6, 6, 6)
    assert covariance[0, 0, 2, 3] == pytest.approx(covariance[2, 1, 4, 4])
    assert covariance[1, 1, 1, 1] == pytest.approx(covariance[5, 0, 5, 0])


def test_the_embedded_covariance_is_that_of_the_autocovariance():
    _, autocovariance = natural._read()
    covariance = ConditionalGaussian.natural(4).covariance.reshape(3, 4, 4, 3, 4, 4)
    centre = autocovariance.shape[-1] // 2
    assert covariance[0, 0, 1, 2, 3, 0] == pytest.approx(
        autocovariance[0, 2, centre + 3, centre - 1]
    )
    assert covariance[1, 2, 0, 0, 0, 3] == pytest.approx(
        autocovariance[1, 0, centre - 2, centre + 3]
    )


def test_natural_statistics_refuse_more_than_they_know():
    with pytest.raises(SamplerError, match="is of patches of 1 to 32"):
        natural.patch_statistics(33, "joint", 3)
    with pytest.raises(SamplerError, match="channels='both': expected joint or independent"):
        ConditionalGaussian.natural(8, "both")
