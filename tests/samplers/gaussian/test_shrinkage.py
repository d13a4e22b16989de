import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preddiff.samplers.gaussian import shrinkage


@given(st.integers(2, 30), st.integers(2, 400))
def test_shrinkage_is_a_share_and_leaves_a_positive_definite_matrix(size, patches):
    rows = np.random.default_rng(size * patches).normal(size=(patches, size))
    shrunk, share = shrinkage.shrink(np.cov(rows.T), patches)
    assert 0 <= share <= 1
    assert np.linalg.eigvalsh(shrunk)[0] > 0
