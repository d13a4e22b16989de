"""When relevance is exact."""

import numpy as np
import pytest

from preddiff.results.confidence import are_exact


@pytest.mark.parametrize(
    ("errors", "exact"),
    [([0.0, 0.0], True), ([0.0, np.nan], True), ([0.0, 0.1], False), ([np.nan, np.nan], False)],
)
def test_errors_that_are_all_zero_say_exact_and_unknown_ones_do_not(errors, exact):
    assert are_exact(np.array(errors)) is exact
