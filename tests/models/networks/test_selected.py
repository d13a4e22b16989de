"""Networks that return several things."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from preddiff import load_model
from preddiff.errors import InputWarning, ModelError

Pair = namedtuple("Pair", "scores features")


@dataclass
class Found:
    loss: None
    scores: torch.Tensor


class Several(nn.Module):
    def __init__(self, trunk, kind):
        super().__init__()
        self.trunk, self.kind = trunk, kind

    def forward(self, x):
        z = self.trunk(x)
        features = x.mean((2, 3))
        if self.kind == "tuple":
            return z, features
        if self.kind == "named":
            return Pair(z, features)
        if self.kind == "object":
            return Found(None, z)
        return {"aux": features, "out": z} if self.kind == "out" else {"aux": features, "logits": z}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("tuple", "tuple with 0 (1, 4), 1 (1, 3): 0 is taken"),
        ("named", "Pair with 'scores' (1, 4), 'features' (1, 3): 'scores' is taken"),
        ("out", "dict with 'aux' (1, 3), 'out' (1, 4): 'out' is taken"),
        ("object", None),
        ("logits", None),
    ],
)
def test_what_is_usual_is_taken_and_said(small_network, rng, recwarn, kind, said):
    x = rng.random((2, 3, 16, 16), dtype=np.float32)
    model = load_model(Several(small_network, kind).eval())
    p = model.predict(x)
    np.testing.assert_allclose(p, load_model(small_network).predict(x), rtol=1e-5)
    warned = [str(each.message) for each in recwarn if each.category is InputWarning]
    assert len(warned) == (said is not None)
    assert said is None or said in warned[0]
    assert "trunk.3" in model.nodes(x[0])
    model.predict(x)
    assert len(recwarn) == len(warned)


@pytest.mark.parametrize(
    ("kind", "key"), [("tuple", 1), ("tuple", "1"), ("out", "aux"), ("named", "features")]
)
def test_another_one_can_be_chosen(small_network, rng, kind, key):
    x = rng.random((2, 3, 16, 16), dtype=np.float32)
    model = load_model(Several(small_network, kind).eval(), output="values", output_key=key)
    np.testing.assert_allclose(model.predict(x), x.mean((2, 3)), rtol=1e-5)


def test_digits_are_a_name_before_they_are_a_number(rng):
    class Numbered(nn.Module):
        def forward(self, x):
            means = x.mean((2, 3))
            return {"0": means, 1: 2 * means, "1": 3 * means}

    x = rng.random((2, 3, 4, 4), dtype=np.float32)
    for key, times in (("0", 1), (1, 2), ("1", 3)):
        model = load_model(Numbered().eval(), output="values", output_key=key)
        np.testing.assert_allclose(model.predict(x), times * x.mean((2, 3)), rtol=1e-5)


def test_what_is_not_there_is_refused(small_network, rng):
    x = rng.random((1, 3, 16, 16), dtype=np.float32)
    model = load_model(Several(small_network, "out").eval(), output_key="boxes")
    with pytest.raises(ModelError, match="output_key='boxes': .* returned dict with 'aux', 'out'"):
        model.predict(x)
    one = load_model(small_network, output_key="out")
    with pytest.raises(ModelError, match="output_key='out': module:Sequential returns one thing"):
        one.predict(x)
    with pytest.raises(ModelError, match="output_key=1: embedded returns one thing"):
        load_model("embedded", output_key=1)
    with pytest.raises(ModelError, match="output_key=1: a ufunc returns one thing"):
        load_model(np.tanh, output_key=1)


class Nothing(nn.Module):
    def forward(self, x):
        return {"n": len(x)}


def test_no_tensor_at_all_is_refused(rng):
    x = rng.random((1, 3, 16, 16), dtype=np.float32)
    with pytest.raises(ModelError, match="returned dict, in which there is no tensor"):
        load_model(Nothing().eval()).predict(x)
