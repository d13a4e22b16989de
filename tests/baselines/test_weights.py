"""Maps from a linear classifier's weights: they add up to the logit."""

import numpy as np
import pytest

from preddiff.baselines.weights import times_deviation, times_input


def test_contributions_sum_to_the_logit(rng):
    weights, inputs, mean = rng.normal(size=(3, 1, 4, 5, 6))
    assert times_input(weights, inputs).sum() == pytest.approx(np.vdot(weights, inputs))
    deviation = times_deviation(weights, inputs, mean)
    assert deviation.sum() == pytest.approx(np.vdot(weights, inputs) - np.vdot(weights, mean))
    changed = inputs.copy()
    changed[0, 1, 2, 3] = mean[0, 1, 2, 3]
    lost = np.vdot(weights, inputs) - np.vdot(weights, changed)
    assert deviation[0, 1, 2, 3] == pytest.approx(lost)
