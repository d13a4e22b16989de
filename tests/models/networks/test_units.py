"""Single units of a node as targets."""

import numpy as np
import pytest
import torch

from preddiff import load_model
from preddiff.errors import TargetError
from preddiff.models.networks.units import select_units


def test_units_are_the_node_s_own_values(rng, small_network):
    x = rng.random((3, 3, 16, 16)).astype(np.float32)
    network = load_model(small_network)
    derived, name = select_units(network, "3", [(5, (2, 7)), (1, None)], x[0])
    values = small_network[:4](torch.from_numpy(x)).detach().numpy()
    expected = np.stack([values[:, 5, 2, 7], values[:, 1].mean((1, 2))], axis=1)
    np.testing.assert_allclose(derived.predict(x, name), expected, rtol=1e-5)
    assert derived.sha256 == network.sha256
    assert network.module is small_network
    assert name not in network.nodes(x[0])


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ((8, None), "target '8': node '3' has 8 channels of 8×8 units"),
        ((0, (8, 0)), "target '0:8,0': node '3' has 8 channels of 8×8 units"),
        ((0, (1,)), "target '0:1': node '3'"),
    ],
)
def test_units_that_are_not_there(small_network, unit, message):
    x = np.zeros((3, 16, 16), np.float32)
    with pytest.raises(TargetError, match=message):
        select_units(load_model(small_network), "3", [unit], x)
