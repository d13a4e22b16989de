"""Regions are windows of any shape."""

import numpy as np
import pytest

from preddiff.errors import SettingError
from preddiff.method.regions import Regions, boxes

LABELS = np.array([[4, 4, 0, 9], [4, 0, 0, 9], [0, 2, 2, 9]])
REGIONS = Regions.of(LABELS)  # 2, 4 and 9


def test_each_has_a_number_and_a_corner():
    assert len(REGIONS) == 3
    assert REGIONS.numbers.tolist() == [2, 4, 9]
    assert REGIONS.starts.tolist() == [[2, 1], [0, 0], [0, 3]]
    np.testing.assert_array_equal(REGIONS.coverage, LABELS > 0)
    assert len(Regions.of(LABELS + 1)) == 4
    with pytest.raises(SettingError, match="all labels are 0: expected 1, 2"):
        Regions.of(np.zeros((2, 2), dtype=int))


def test_a_map_has_the_value_of_each_region():
    values = np.array([[1.0, 2, 3], [10, 20, 30]])
    expected = np.array([[2, 2, np.nan, 3], [2, np.nan, np.nan, 3], [np.nan, 1, 1, 3]])
    for found in (REGIONS.mean(values), REGIONS.error_of_mean(values)):
        np.testing.assert_array_equal(found, [expected, 10 * expected])
    np.testing.assert_array_equal(REGIONS.sums(np.ones((1, 3, 4))), [[2, 3, 3]])


def test_some_of_them_keep_their_numbers():
    some = REGIONS.subset(np.array([0, 2]))
    assert some.numbers.tolist() == [2, 9]
    assert some.starts.tolist() == [[2, 1], [0, 3]]
    np.testing.assert_array_equal(some.coverage, np.isin(LABELS, [2, 9]))
    assert REGIONS.subset(np.arange(3)) is REGIONS
    mask = np.zeros((3, 4), dtype=bool)
    mask[0, 0] = True
    assert REGIONS.touching(mask).numbers.tolist() == [4]
    assert [each.tolist() for each in REGIONS.tilings(1)] == [[0, 1, 2]]


def test_boxes_fill_an_array():
    found = boxes((5, 4, 3), (2, 3, 1))
    assert np.unique(found).tolist() == [1, 2, 3, 4, 5, 6]
    assert (found[:, :, 0] == found[:, :, 2]).all()
    assert np.bincount(found.ravel())[1:].tolist() == [18, 9, 9, 12, 6, 6]


def test_what_is_covered_is_where_regions_are():
    regions = Regions.of(np.array([[0, 3, 3], [7, 0, 7]]))
    np.testing.assert_array_equal(regions.covered, regions.coverage > 0)
    np.testing.assert_array_equal(regions.covered, [[0, 1, 1], [1, 0, 1]])
