"""Callables as models."""

import numpy as np
import pytest
import torch

from preddiff import load_model
from preddiff.errors import ModelError


def test_a_callable_may_return_numpy_or_torch(rng):
    x = rng.random((3, 1, 4, 4)).astype(np.float32)
    for call in (lambda a: np.full((len(a), 2), 0.5), lambda a: torch.full((len(a), 2), 0.5)):
        np.testing.assert_array_equal(load_model(call).predict(x), np.full((3, 2), 0.5))


def test_a_callable_that_raises_is_told_what_it_gets():
    def stumble(inputs):
        raise KeyError("weights")

    message = (
        r"stumble raised KeyError \('weights'\); it gets a float32 numpy array .*\(1, 1, 4, 4\)"
    )
    with pytest.raises(ModelError, match=message):
        load_model(stumble).predict(np.zeros((1, 1, 4, 4), dtype=np.float32))
