"""What a model's answer has to be."""

import numpy as np
import pytest

import preddiff
from preddiff.errors import ModelError


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda a: np.full(len(a), 0.5), r"returned shape \(1,\) for 1 inputs: expected \(1, K\)"),
        (lambda a: np.full((len(a), 2), np.nan), "returned NaN or infinite values"),
        (lambda a: np.full((len(a), 2), 3.0), "values from 3 to 3 are not probabilities"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answer, message):
    with pytest.raises(ModelError, match=message):
        preddiff.explain(answer, np.zeros((1, 8, 8)), sampler="constant:0", window=3)
