"""Values that are changed in place, also through another name, are right on boxes."""

import numpy as np
import pytest
import torch
from torch import fx, nn
from torch.nn import functional as F

from preddiff.engines import Dense
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.compile.aliases import SharedMemoryError, changes
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from small_networks import Function, conv


def black_out(m, x):
    """A burned-in tag is blacked out, as networks of scans do it."""
    x = x.clone()
    x[:, :, 20:, 16:] = 0
    return m.net(x)


def through_a_view(m, x):
    y = m.c(x)
    y[:, :2].relu_()
    return m.net(y)


def through_a_part(m, x):
    y = m.c(x)
    first, _ = y.split([1, 2], 1)
    first.sigmoid_()
    return m.net(y)


def a_view_made_before(m, x):
    y = m.c(x)
    flat = y.view(y.shape[0], 3, -1)
    y.relu_()
    return m.net(flat.view_as(y))


def filled(m, x):
    y = m.c(x)
    y.narrow(2, 20, 8).fill_(1)
    return m.net(y)


def copied(m, x):
    y = m.c(x)
    z = torch.zeros_like(y)
    z.copy_(y)
    return m.net(z)


def another_name(m, x):
    """Dropout returns its own input in evaluation."""
    y = m.c(x)
    z = m.d(y)
    y.relu_()
    return m.net(z)


def twice(m, x):
    y = m.c(x)
    y.relu_()
    y.add_(1)
    y *= 2
    return m.net(y)


def activations(m, x):
    if x.shape[-1] < 0:  # torch.fx cannot trace this: torch.export does
        return x
    y = F.silu(m.c(x), inplace=True)
    y = F.hardswish(y, inplace=True) + y
    y = F.elu_(y) + F.leaky_relu_(y, 0.2)
    return m.net(F.mish(F.hardsigmoid(y, inplace=True), inplace=True))


def dropout_beside_itself(m, x):
    y = m.c(x)
    return m.net(torch.cat([y, m.d(y)], 1)[:, 1:4])


def network(run):
    torch.manual_seed(0)
    net = nn.Sequential(
        conv(3, 6, padding=1, stride=2), nn.ReLU(inplace=True), conv(6, 6, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 4),
    )  # fmt: skip
    return Function(run, c=conv(3, 3, padding=1), d=nn.Dropout(), net=net).eval()


RUNS = [
    black_out, through_a_view, through_a_part, a_view_made_before, filled, copied, another_name,
    twice, activations, dropout_beside_itself,
]  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_a_change_in_place_is_never_missed_by_those_who_see_it(rng, run):
    model = Network(network(run))
    inputs = rng.random((3, 32, 32)).astype(np.float32)
    windows = Windows.over((32, 32), (8, 8), 6)
    draws = rng.random((len(windows), 2, 3, 8, 8)).astype(np.float32)
    right = Dense(model, inputs, [0, 1]).evaluate(windows.starts, draws)
    found = Incremental(model, inputs, [0, 1], (8, 8)).evaluate(windows.starts, draws)
    np.testing.assert_allclose(found, right, atol=1e-4 * (right.max() - right.min()))


def test_who_changes_what_is_seen_by_running():
    graph = fx.symbolic_trace(network(another_name))
    (own, *_) = changes(graph, torch.rand(1, 3, 16, 16))
    assert own.node.target == "relu_"
    assert [each.target for each in own.same] == ["d"]


@pytest.mark.parametrize("run", [through_a_view, through_a_part, a_view_made_before])
def test_what_shares_memory_is_refused(run):
    with pytest.raises(SharedMemoryError, match="changes in place what .* of the same memory"):
        changes(fx.symbolic_trace(network(run)), torch.rand(1, 3, 32, 32))


def test_changed_weights_are_refused():
    module = Function(lambda m, x: m.a(x) * m.count.add_(x.mean()), a=conv(3, 3))
    module.register_buffer("count", torch.zeros(1))
    with pytest.raises(SharedMemoryError, match="changes weights"):
        changes(fx.symbolic_trace(module.eval()), torch.rand(1, 3, 8, 8))
