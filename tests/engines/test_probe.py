"""The windows on which engines are tried."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preddiff.engines.probe import probe
from preddiff.method.windows import Windows


def test_they_are_spread_from_the_first_to_the_last():
    windows = Windows.over((10, 10), 3)
    some = probe(windows, 5)
    np.testing.assert_array_equal(some.starts[[0, -1]], [[0, 0], [7, 7]])
    numbers = [int(np.flatnonzero((windows.starts == s).all(axis=1))[0]) for s in some.starts]
    parts = np.array(numbers) * 5 / len(windows) - np.arange(5)
    assert ((parts > -5 / len(windows)) & (parts < 1)).all()


@given(st.integers(40, 300), st.integers(1, 20))
def test_they_lie_neither_in_one_column_nor_at_the_border(length, stride):
    windows = Windows.over((length, length), 10, stride)
    starts = probe(windows, 16).starts
    assert len(np.unique(starts[:, 1])) >= 3
    within = ((starts > 0) & (starts < length - 10)).all(axis=1).sum()
    share = ((windows.starts > 0) & (windows.starts < length - 10)).all(axis=1).mean()
    assert within >= 0.4 * (16 * share - 2)


def test_of_few_windows_some_come_again():
    windows = Windows.over((3, 4), 3)
    starts = probe(windows, 4).starts.tolist()
    assert len(starts) == 4
    assert starts[0] == [0, 0]
    assert starts[-1] == [0, 1]
