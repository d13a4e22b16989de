"""The incremental engine gives what whole forward passes give, whatever the network is made of."""

import copy
import math
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import preddiff
from conftest import DATA, needs_data
from preddiff.engines import Dense
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental import engine as engine_module
from preddiff.engines.incremental.check import deviation, first_wrong_node
from preddiff.engines.incremental.execute.kernels import memory
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.samplers import ConditionalGaussian
from small_networks import (
    NETWORKS,
    Function,
    conv,
    corners_and_others,
    engines,
    held_against,
    trained,
)


@pytest.mark.parametrize("loops", ["compiled", "torch"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_equals_whole_forward_passes(rng, monkeypatch, name, loops):
    if loops == "torch":  # what other devices and precisions do
        monkeypatch.setattr(memory, "supports", lambda *_: False)
    torch.manual_seed(1)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    dense, incremental = engines(NETWORKS[name](), inputs, (4, 3))
    starts = corners_and_others(rng, (16, 16), (4, 3))
    draws = rng.random((len(starts), 3, 3, 4, 3)).astype(np.float32)
    for incremental.batch in (1, 3, 7, 100):
        held_against(dense, incremental, starts, draws)
    assert deviation(incremental, starts, draws) < 1e-4
    assert first_wrong_node(incremental, starts, draws) is None


@pytest.mark.parametrize(
    "name", ["zero padding", "max ceiling", "chunks", "channels last", "tiles"]
)
def test_every_window_of_an_input(rng, name):
    torch.manual_seed(1)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    dense, incremental = engines(NETWORKS[name](), inputs, (2, 5))
    starts = Windows.over((16, 16), (2, 5)).starts
    held_against(dense, incremental, starts, rng.random((len(starts), 1, 3, 2, 5), np.float32))


@pytest.mark.parametrize("dimensions", [1, 3])
def test_lines_and_volumes(rng, dimensions):
    torch.manual_seed(2)
    pool = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[dimensions - 1]
    mean = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[dimensions - 1]
    known = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions - 1]
    module = nn.Sequential(
        conv(2, 4, 3, dimensions, padding=1), trained(known(4)), nn.ReLU(), pool(2),
        conv(4, 6, 3, dimensions, padding=1, stride=2), nn.ReLU(), mean(3, 1, padding=1),
        conv(6, 5, 2, dimensions), nn.Flatten(), nn.LazyLinear(4),
    )  # fmt: skip
    inputs = rng.random((2, 14, 12, 16)[: dimensions + 1]).astype(np.float32)
    module(torch.from_numpy(inputs)[None])
    size = (3,) * dimensions
    dense, incremental = engines(module, inputs, size)
    starts = corners_and_others(rng, inputs.shape[1:], size)
    held_against(dense, incremental, starts, rng.random((len(starts), 2, 2, *size), np.float32))


def test_relevance_in_a_cube_of_64_voxels(rng):
    """The paper's windows for volumes, k = 3 and l = 7, where they touch a mask.

    Whole passes are in double precision: in single, their rounding is ten times that of boxes.
    """
    torch.manual_seed(4)
    module = nn.Sequential(
        conv(1, 8, 3, 3, padding=1), trained(nn.BatchNorm3d(8)), nn.ReLU(), nn.MaxPool3d(2),
        conv(8, 16, 3, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2),
        conv(16, 4, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16**3, 3),
    ).eval()  # fmt: skip
    inputs = rng.normal(size=(1, 64, 64, 64)).astype(np.float32)
    mask = np.zeros((64, 64, 64), dtype=bool)
    mask[tuple(np.transpose([(0, 0, 0), (30, 31, 40), (62, 62, 62), (5, 40, 0), (33, 0, 9)]))] = (
        True
    )
    sampler = ConditionalGaussian(np.zeros(343), np.eye(343) + 0.5, (1, 7, 7, 7))
    both = [
        preddiff.explain(
            network, inputs, "all", sampler=sampler, window=3, stride=3, samples=2, mask=mask,
            engine=engine, train_size=math.inf, **precision,
        )
        for engine, network, precision in (
            ("dense", copy.deepcopy(module).double(), {}),
            ("incremental", module, {"precision": "float32"}),
        )
    ]  # fmt: skip
    # One window for each, but for (62, 62, 62): along each axis, that is in the last window of the
    # stride, and in the one that ends at the border.
    assert both[0].data.sizes["window"] == 4 + 2**3
    scale = np.abs(both[0].evidence.values).max()
    np.testing.assert_allclose(both[1].evidence, both[0].evidence, rtol=0, atol=1e-3 * scale)
    np.testing.assert_allclose(both[1].relevance, both[0].relevance, rtol=0, atol=1e-3 * scale)


def test_channels_last_inputs_and_normalisation(rng):
    """Networks that want (n, y, x, channel), in their own order and scale."""
    torch.manual_seed(3)
    module = Function(lambda m, x: m.a(x.permute(0, 3, 1, 2)).relu().mean((2, 3)), a=conv(3, 4))
    wanted = Preprocessing(
        channels_last=True, bgr=True, scale=255.0, mean=(104.0, 117.0, 123.0), std=(2.0, 3.0, 4.0)
    )
    inputs = rng.random((3, 12, 12)).astype(np.float32)
    dense, incremental = engines(module, inputs, (3, 3), preprocessing=wanted)
    starts = corners_and_others(rng, (12, 12), (3, 3))
    held_against(dense, incremental, starts, rng.random((len(starts), 2, 3, 3, 3), np.float32))


@pytest.mark.parametrize("node", ["0", "1", "2", "4"])
def test_hidden_nodes(rng, small_network, node):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    model = Network(small_network)
    dense = Dense(model, inputs, [0, 2], node)
    incremental = Incremental(model, inputs, [0, 2], (4, 4), node)
    starts = corners_and_others(rng, (16, 16), (4, 4))
    held_against(dense, incremental, starts, rng.random((len(starts), 2, 3, 4, 4), np.float32))
    assert len(incremental.program.body) == int(node) + 2  # nothing behind the node is run


@settings(max_examples=60)
@given(data=st.data())
def test_rows_of_random_layers(data):
    """Random layers with random sizes, strides, dilations and paddings, against dense."""
    torch.manual_seed(data.draw(st.integers(0, 99)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    size = data.draw(st.integers(9, 15))
    layers, width = [], size
    for _ in range(data.draw(st.integers(1, 3))):
        kernel = data.draw(st.integers(1, 4))
        stride = data.draw(st.integers(1, 3))
        padding = data.draw(st.integers(0, kernel // 2))
        dilation = data.draw(st.integers(1, 2))
        if width + 2 * padding < (kernel - 1) * dilation + 1 + stride:
            continue
        ceiling = data.draw(st.booleans())
        layer = data.draw(st.sampled_from(["conv", "max", "mean", "pad"]))
        made = {
            "conv": lambda k, s, p, d, c: conv(3, 3, k, stride=s, padding=p, dilation=d),
            "max": lambda k, s, p, d, c: nn.MaxPool2d(k, s, p, d, ceil_mode=c),
            "mean": lambda k, s, p, d, c: nn.AvgPool2d(k, s, p, c, count_include_pad=d == 1),
            "pad": lambda k, s, p, d, c: nn.ConstantPad2d((p, s, k, d), 0.5),
        }[layer](kernel, stride, padding, dilation, ceiling)
        layers += [made, data.draw(st.sampled_from([nn.ReLU(), nn.GELU(), nn.Identity()]))]
        width = nn.Sequential(*layers)(torch.zeros(1, 3, size, size)).shape[-1]
    inputs = rng.random((3, size, size)).astype(np.float32)
    dense, incremental = engines(nn.Sequential(*layers, nn.Identity()), inputs, (3, 3))
    starts = corners_and_others(rng, (size, size), (3, 3), count=3)
    held_against(dense, incremental, starts, rng.random((len(starts), 2, 3, 3, 3), np.float32))


def test_a_batch_keeps_within_its_memory_on_every_processor(rng, small_network):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    engine = Incremental(Network(small_network), inputs, [0], (4, 4))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = engine.bytes_per_draw
        torch.set_num_threads(2)
        assert engine.bytes_per_draw == 2 * alone
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("engine", ["auto", "incremental"])
def test_explanations_are_the_same_by_every_engine(rng, small_network, engine):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"targets": "all", "window": 4, "samples": 3}
    expected = preddiff.explain(small_network, inputs, engine="dense", **wish)
    e = preddiff.explain(small_network, inputs, engine=engine, memory=100_000, **wish)
    np.testing.assert_allclose(e.evidence, expected.evidence, atol=1e-5)
    np.testing.assert_allclose(e.standard_error, expected.standard_error, atol=1e-5)


@pytest.mark.parametrize("loops", ["compiled", "torch"])
@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_a_short_precision_rounds_changes_not_values(rng, monkeypatch, size, loops):
    """Right to a few percent of a change, however small it is beside the values."""
    if loops == "torch":
        monkeypatch.setattr(memory, "supports", lambda *_: False)
    torch.manual_seed(0)
    module = Function(
        lambda m, x: m.d(F.max_pool2d(
            F.relu6(torch.cat([m.b(y := F.relu(m.a(x))), F.relu(m.c(y) + y)], 1)), 3, 2, 1
        ).flatten(1)),
        a=conv(3, 16, padding=1), b=conv(16, 16, padding=1), c=conv(16, 16, padding=1),
        d=nn.Linear(2048, 4),
    ).eval()  # fmt: skip
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    starts = corners_and_others(rng, (16, 16), (5, 5))
    noise = rng.normal(scale=size, size=(len(starts), 8, 3, 5, 5)).astype(np.float32)
    draws = noise + np.stack([inputs[:, y : y + 5, x : x + 5] for y, x in starts])[:, None]
    model = Network(module.double(), output="logits")
    exact = Incremental(model, inputs.astype(np.float64), range(4), (5, 5), node="d")
    right = exact.raw(starts, draws.astype(np.float64)) - exact._base
    model = Network(copy.deepcopy(module).float(), output="logits")
    short = Incremental(model, inputs, range(4), (5, 5), node="d", dtype=torch.bfloat16)
    found = short.changes(starts, draws)
    error = ((found.double() - right) ** 2).mean() / (right**2).mean()
    assert 1e-4 < error**0.5 < 0.02


@pytest.mark.parametrize("spec", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "vgg11"])
def test_torchvisions_networks(rng, spec):
    _hold_network(rng, preddiff.load_model(f"torchvision:{spec}@random"))


def test_the_embedded_classifier(rng, embedded):
    _hold_network(rng, embedded)


@needs_data
@pytest.mark.parametrize("name", ["bvlc_googlenet", "squeezenet"])
def test_real_networks(rng, name):
    _hold_network(rng, preddiff.load_model(DATA / "models" / f"{name}.onnx"))


def _hold_network(rng, model):
    inputs = rng.random(model.shape).astype(np.float32)
    incremental = Incremental(model, inputs, [0], (10, 10))
    starts = corners_and_others(rng, model.shape[1:], (10, 10), count=2)
    draws = rng.random((len(starts), 2, 3, 10, 10)).astype(np.float32)
    assert deviation(incremental, starts, draws) < 1e-5


def test_one_precision_is_held_at_a_time(small_network, rng, monkeypatch):
    held = weakref.WeakSet()
    right = engine_module.trace

    def tracing(*arguments):
        assert not held
        program = right(*arguments)
        held.add(program.body[-1])
        held.add(program.module)
        return program

    monkeypatch.setattr(engine_module, "trace", tracing)
    boxed = Incremental(Network(small_network), rng.random((3, 16, 16), np.float32), [0], (4, 4))
    starts, draws = np.zeros((1, 2), np.int64), rng.random((1, 2, 3, 4, 4), np.float32)
    exact = boxed.evaluate(starts, draws)
    boxed.take_precision(torch.bfloat16)
    short = boxed.evaluate(starts, draws)
    assert 0 < np.abs(short - exact).max() < 1e-2
    boxed.take_precision(torch.float32)
    np.testing.assert_array_equal(boxed.evaluate(starts, draws), exact)
    assert len(held) == 2
