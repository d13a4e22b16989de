import numpy as np
import pytest

from preddiff.samplers.gaussian.threads import for_each_in_threads


def test_what_is_done_side_by_side_is_all_done_or_raises():
    done = np.zeros(100)
    for_each_in_threads(lambda n: done.__setitem__(n, n), range(100))
    np.testing.assert_array_equal(done, np.arange(100))
    with pytest.raises(ZeroDivisionError):
        for_each_in_threads(lambda n: 1 / n, range(3))
