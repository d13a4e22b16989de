"""Occlusion is the analysis with a grey patch."""

import numpy as np
import pytest

import preddiff

SMALL = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0"}


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


def test_occlusion_is_ours_with_a_grey_patch(small_network, picture):
    e = preddiff.explain(small_network, picture, 1, baselines=["occlusion"], **SMALL)
    grey = preddiff.explain(
        small_network, picture, 1, window=4, stride=4, samples=1, sampler="constant:0.5"
    )
    np.testing.assert_allclose(e.data["occlusion"], grey.relevance, atol=1e-6)
    finer = preddiff.explain(
        small_network, picture, 1, baselines=["occlusion"], **{**SMALL, "stride": 1}
    )
    halves = preddiff.explain(
        small_network, picture, 1, window=4, stride=2, samples=1, sampler="constant:0.5"
    )
    np.testing.assert_allclose(finer.data["occlusion"], halves.relevance, atol=1e-6)
