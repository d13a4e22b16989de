import numpy as np
import pytest
from scipy import linalg

from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Located
from preddiff.samplers.gaussian.shrinkage import shrinkage
from samplers.cohort import GRID, PATCH, SHAPE


def patches_in(cohort, cell):
    """All patches that begin in a cell: positions times cells over positions, rounded down."""
    begins = [n - PATCH + 1 for n in SHAPE[1:]]
    cells = [c * g // n for c, g, n in zip(np.indices(begins), GRID, begins, strict=True)]
    corners = np.argwhere(np.all([c == i for c, i in zip(cells, cell, strict=True)], axis=0))
    boxes = [(0, *(slice(i, i + PATCH) for i in c)) for c in corners]
    return np.stack([v[box].reshape(-1) for v in cohort for box in boxes]).astype(float)


@pytest.mark.parametrize("cell", [(0, 0, 0), (1, 1, 0), (1, 2, 1)])
def test_a_cell_has_its_own_patches_drawn_towards_the_cohort(cohort, located, cell):
    rows = patches_in(cohort, cell)
    whole = ConditionalGaussian.fit(cohort, patch=PATCH)
    unit = np.linalg.inv(linalg.cholesky(whole.covariance, lower=True))
    spread = np.cov(unit @ rows.T)
    share = max(0.01, shrinkage(spread, len(rows)))
    level = np.trace(spread) / len(spread)
    expected = (1 - share) * np.cov(rows.T) + share * level * whole.covariance
    mean, covariance = located.normal_of(int(np.ravel_multi_index(cell, GRID)))
    np.testing.assert_allclose(covariance, expected, rtol=0, atol=1e-5 * expected.max())
    own = whole.mean + (rows.mean(axis=0) - whole.mean) * 30 / 31  # the cohort is one more volume
    np.testing.assert_allclose(mean, own, atol=1e-5)


def test_flat_and_empty_places_can_be_drawn_from(cohort):
    flat = cohort.copy()
    flat[:, :, :4] = 0
    sampler = Located.fit(flat, patch=PATCH, grid=(20, 20, 20), clip=False)
    assert sampler.grid.cells == (8, 7, 6)
    windows = Windows.over(SHAPE[1:], 1)
    draws = sampler.draw(flat[0], windows, 4, 0, None)
    assert np.isfinite(draws).all()
    inside = (windows.starts < 2).all(axis=1)
    assert np.abs(draws[inside]).max() < 0.01


def test_a_cell_that_is_the_same_in_all_has_a_normal_however_far_from_the_cohorts(cohort):
    flat, mask = cohort.copy(), np.zeros(SHAPE[1:], dtype=bool)
    flat[:, :, :7], mask[6:] = 1e5, True
    sampler = Located.fit(flat, patch=PATCH, grid=(8, 7, 6), mask=mask, clip=False)
    mean, covariance = sampler.normal_of(sampler.grid.numbers(np.array([[4, 3, 3]]))[0])
    np.testing.assert_allclose(mean, sampler.mean + (1e5 - sampler.mean) * 30 / 31, atol=1)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert covariance.diagonal().max() < 1e-8 * sampler.covariance.diagonal().max()
