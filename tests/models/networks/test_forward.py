"""Forward passes: what a module takes, and in which layout."""

import numpy as np
import pytest
import torch
from torch import nn

from conftest import logits_of
from preddiff import load_model
from preddiff.errors import ModelError


def test_an_input_that_does_not_fit_is_told(small_network):
    with pytest.raises(ModelError, match=r"does not take an input of shape \(3, 20, 20\)"):
        load_model(small_network).predict(np.zeros((1, 3, 20, 20), dtype=np.float32))


@pytest.mark.parametrize(
    ("network", "cure"),
    [
        (nn.Conv2d(3, 2, 3), "give an input of as many channels"),
        (nn.Bilinear(3, 3, 2), r"models\.one_input\(network, \(picture, vector\), free=0\)"),
        (nn.Embedding(9, 2), "of float32"),
    ],
)
def test_the_cure_follows_from_the_complaint(network, cure):
    with pytest.raises(ModelError, match=f"does not take an input of .*; .*{cure}"):
        load_model(network.eval()).predict(np.zeros((1, 4, 8, 8), dtype=np.float32))


def test_networks_that_flatten_by_view(rng):
    """They need the usual order in memory, which is not the fastest."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features = torch.nn.Conv2d(3, 4, 3)
            self.classifier = torch.nn.Linear(4 * 10 * 10, 5)

        def forward(self, x):
            return self.classifier(self.features(x).view(-1, 400))

    net, x = Net().eval(), rng.random((2, 3, 12, 12)).astype(np.float32)
    model = load_model(net, output="probabilities")
    assert model.nodes(x[0])["features"] == (4, 10, 10)
    np.testing.assert_allclose(model.predict(x), logits_of(net, x), atol=1e-6)
    np.testing.assert_allclose(
        model.predict(x, "features"),
        net.features(torch.from_numpy(x)).mean((2, 3)).detach().numpy(),
        atol=1e-6,
    )


class Strided(nn.Module):
    """Reads memory as it lies."""

    def forward(self, x):
        n, (c, h, w) = len(x), x.shape[1:]
        return torch.as_strided(x, (n, 5), (c * h * w, 1)).softmax(1)


def test_a_network_that_reads_memory_as_it_lies_sees_its_usual_order(rng):
    x = rng.random((4, 3, 8, 8)).astype(np.float32)
    expected = torch.from_numpy(x).flatten(1)[:, :5].softmax(1)
    np.testing.assert_allclose(load_model(Strided().eval()).predict(x), expected, atol=1e-6)
