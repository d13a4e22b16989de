"""Networks that return an object with logits, as HuggingFace's do."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

import preddiff
from preddiff import load_model


class Network(nn.Module):
    def __init__(self, trunk, config=None, kind=SimpleNamespace):
        super().__init__()
        self.trunk = trunk
        self.kind = kind
        if config is not None:
            self.config = config

    def forward(self, pixel_values, labels=None):
        assert labels is None
        return self.kind(loss=None, logits=self.trunk(pixel_values))


@pytest.mark.parametrize("kind", [SimpleNamespace, dict])
def test_logits_are_taken_from_what_it_returns(small_network, rng, kind):
    network = Network(small_network, kind=kind).eval()
    model = load_model(network, preprocess={"input_size": 16})
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    plain = load_model(small_network, output="logits")
    np.testing.assert_allclose(model.predict(x), plain.predict(x), rtol=1e-5)
    assert model.labels is None
    assert repr(model) == "<Network module:Network: inputs (3, 16, 16)>"
    e = preddiff.explain(model, x[0], window=3, stride=6, samples=2, engine="incremental")
    assert e.provenance["engine"] == "incremental"


def test_names_of_classes_are_those_of_its_configuration(small_network):
    config = SimpleNamespace(id2label={2: "c", 0: "a", 1: "b", 3: "d"})
    assert load_model(Network(small_network, config).eval()).labels == ["a", "b", "c", "d"]
    own = load_model(Network(small_network, config).eval(), labels=["p", "q", "r", "s"])
    assert own.labels == ["p", "q", "r", "s"]
