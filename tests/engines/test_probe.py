"""The windows on which engines are tried."""

import numpy as np

from preddiff.engines.probe import probe
from preddiff.method.windows import Windows


def test_they_are_spread_from_the_first_to_the_last():
    windows = Windows.over((10, 10), 3)
    some = probe(windows, 5)
    np.testing.assert_array_equal(some.starts[[0, -1]], [[0, 0], [7, 7]])
    numbers = [int(np.flatnonzero((windows.starts == s).all(axis=1))[0]) for s in some.starts]
    assert numbers == [0, 15, 31, 47, 63]


def test_of_few_windows_some_come_again():
    windows = Windows.over((3, 4), 3)
    assert probe(windows, 4).starts.tolist() == [[0, 0], [0, 0], [0, 0], [0, 1]]
