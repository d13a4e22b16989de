"""Singular values, where LAPACK's usual algorithm finds them and where it does not."""

import numpy as np
import pytest

from preddiff.method.decomposition import singular_values


def refuse(*arguments, **keywords):
    raise np.linalg.LinAlgError("SVD did not converge")


@pytest.mark.parametrize("shape", [(30, 50), (50, 30)])
@pytest.mark.parametrize("converges", [True, False])
def test_the_product_is_the_matrix(rng, monkeypatch, shape, converges):
    # of rank 20, as regressors that depend on each other
    matrix = rng.normal(size=(shape[0], 20)) @ rng.normal(size=(20, shape[1]))
    if not converges:
        monkeypatch.setattr(np.linalg, "svd", refuse)
    u, s, vt = singular_values(matrix)
    np.testing.assert_allclose(u * s @ vt, matrix, atol=1e-12)
    np.testing.assert_allclose(u.T @ u, np.eye(30), atol=1e-12)
    np.testing.assert_allclose(vt @ vt.T, np.eye(30), atol=1e-12)
    assert (np.diff(s) <= 0).all()
    assert (s > 1e-9 * s[0]).sum() == 20
