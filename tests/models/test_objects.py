"""From an object in memory to a model: each kind is recognised, and what is none is refused."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from preddiff.errors import ModelError
from preddiff.models import Linear
from preddiff.models.function import Function
from preddiff.models.networks.network import Network
from preddiff.models.objects import from_object
from preddiff.models.request import Request
from preddiff.models.sources.sklearn import Folded


def test_each_kind_becomes_its_model(small_network):
    linear = Linear([[[1.0]]])
    estimator = LogisticRegression().fit(np.eye(4), [0, 0, 1, 1])
    found = [from_object(each, Request()) for each in (linear, small_network, estimator, np.tanh)]
    assert found[0] is linear
    assert [type(model) for model in found] == [Linear, Network, Folded, Function]


def test_only_modules_take_what_is_requested(small_network):
    request = Request("logits", {"scale": 255})
    assert from_object(small_network, request).preprocessing.scale == 255
    estimator = LogisticRegression().fit(np.eye(4), [0, 0, 1, 1])
    for other, name in (
        (Linear([[[1.0]]]), "a model that is loaded already"),
        (estimator, "a LogisticRegression"),
        (np.tanh, "a ufunc"),
        (Linear, "a ABCMeta"),
    ):
        with pytest.raises(ModelError, match=f"{name} knows its own output and preprocessing"):
            from_object(other, request)
