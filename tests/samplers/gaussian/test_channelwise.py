import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ChannelwiseGaussian


def test_each_channel_follows_its_own_neighbours_within_what_was_seen(rng, tmp_path):
    """Channels with other correlations: the draws have each one's conditional mean and spread."""
    smooth = rng.normal(size=(40, 1, 20, 20)).cumsum(axis=3) / 4
    rough = rng.normal(size=(40, 1, 20, 20))
    maps = np.concatenate([smooth, rough], axis=1).astype(np.float32)
    sampler = ChannelwiseGaussian.fit(maps, patch=5)
    windows = Windows.over((20, 20), 3, 8).subset(np.array([4]))
    draws = sampler.draw(maps[0], windows, 4000, 0, None)[0]
    for channel, alone in enumerate(sampler.channels):
        means, covariances = alone.moments(maps[0][[channel]], windows)
        np.testing.assert_allclose(draws[:, channel].mean(0).reshape(-1), means[0], atol=0.1)
        spread = np.sqrt(np.diag(covariances[0]))
        np.testing.assert_allclose(draws[:, channel].std(0).reshape(-1), spread, rtol=0.1)
    noise = np.corrcoef(draws[:, 0, 1, 1], draws[:, 1, 1, 1])[0, 1]
    assert abs(noise) < 0.1  # the channels' noise is independent
    sampler.save(tmp_path / "s.npz")
    again = ChannelwiseGaussian.load(tmp_path / "s.npz")
    np.testing.assert_array_equal(again.draw(maps[0], windows, 3, 1, None),
                                  sampler.draw(maps[0], windows, 3, 1, None))  # fmt: skip
    assert again.sha256 == sampler.sha256
    positive = ChannelwiseGaussian.fit(np.maximum(maps, 0), patch=5)
    assert positive.draw(np.maximum(maps[0], 0), windows, 50, 0, None).min() == 0
    with pytest.raises(SamplerError, match="has 2 channels, the node's values 1"):
        sampler.check(maps[0][:1], windows, None)
