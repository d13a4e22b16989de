"""Patches of a picture, and a map's means in them."""

import numpy as np
import pytest

from preddiff.studies.evaluation.maps import grid_regions, region_means


def test_a_grid_has_patches_of_one_size():
    regions = grid_regions((224, 224), 14)
    assert (np.bincount(regions.ravel()) == 16 * 16).all()
    assert (regions[:16, :16] == 0).all()
    assert regions[16, 0] == 14
    assert regions[-1, -1] == 195


@pytest.mark.parametrize("n", [15, 100, 227])
def test_patches_of_any_size_differ_by_a_pixel(n):
    regions = grid_regions((n, 28), 14)
    rows = np.bincount(regions[:, 0])[::14]
    assert rows.sum() == n
    assert rows.max() - rows.min() <= 1


def test_a_shifted_grid_begins_elsewhere():
    regions = grid_regions((8, 8), 2, shift=1)
    assert regions[1, 1] == regions[4, 4] == 0
    assert regions[0, 0] == 3


def test_means_are_of_each_patch():
    values = np.arange(16.0).reshape(4, 4)
    means = region_means(values, grid_regions((4, 4), 2))
    assert means == pytest.approx([2.5, 4.5, 10.5, 12.5])
