"""The incremental engine gives what whole forward passes give, whatever the network is made of."""

import copy
import math
import warnings

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
from preddiff.engines.incremental.check import deviation, first_wrong_node
from preddiff.engines.incremental.execute import winograd
from preddiff.engines.incremental.execute.kernels import memory
from preddiff.engines.incremental.execute.reach import Interval, Sliding, clipped, shifted
from preddiff.errors import EngineWarning, SettingError
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.samplers import ConditionalGaussian


class Function(nn.Module):
    """A module of layers and what is done with them."""

    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def conv(inputs, outputs, size=3, dimensions=2, **settings):
    return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1](inputs, outputs, size, **settings)


def trained(normalisation):
    """Batch normalisation whose statistics do something."""
    with torch.no_grad():
        for value in (normalisation.running_mean, normalisation.bias):
            value.normal_()
        for value in (normalisation.running_var, normalisation.weight):
            value.uniform_(0.5, 2)
    return normalisation


def shuffle(x):
    n, c, h, w = x.size()
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


def relu_in_place(x):
    x.relu_()
    return x


def add_in_place(a, b):
    a += b
    return a


def norm(m, x):
    return m.b(F.layer_norm(m.a(x).permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2))


def excite(m, x):
    y = m.a(x)
    return m.b(y * torch.sigmoid(m.c(F.adaptive_avg_pool2d(y, 1))))


NETWORKS = {
    "convolution": lambda: conv(3, 4, padding=1),
    "no padding": lambda: conv(3, 4),
    "wide padding": lambda: conv(3, 4, padding=4),
    "stride": lambda: nn.Sequential(conv(3, 4, 5, stride=3, padding=2), nn.ReLU(), conv(4, 4)),
    "stride beyond kernel": lambda: nn.Sequential(conv(3, 4, 1, stride=2), conv(4, 4)),
    "dilation": lambda: nn.Sequential(conv(3, 4, dilation=2, padding=2), nn.ReLU(), conv(4, 2)),
    "groups": lambda: nn.Sequential(conv(3, 6, groups=3, padding=1), nn.GELU(), conv(6, 6)),
    "uneven": lambda: conv(3, 4, (5, 2), stride=(1, 2), padding=(0, 1), dilation=(1, 3)),
    "same": lambda: nn.Sequential(conv(3, 4, 4, padding="same", dilation=2), conv(4, 4)),
    "valid": lambda: conv(3, 4, 4, padding="valid"),
    "reflected": lambda: nn.Sequential(conv(3, 4, padding=1, padding_mode="reflect"), conv(4, 2)),
    "zero padding": lambda: nn.Sequential(nn.ZeroPad2d((2, 0, 1, 3)), conv(3, 4), nn.ReLU()),
    "constant padding": lambda: nn.Sequential(nn.ConstantPad2d((0, 2, 3, 1), 0.7), conv(3, 4)),
    "cropping": lambda: Function(lambda m, x: m.a(F.pad(x, (-2, -1, 0, -3))), a=conv(3, 4)),
    "transposed": lambda: nn.Sequential(nn.ConvTranspose2d(3, 4, 3), nn.ReLU(), conv(4, 2)),
    "normalised": lambda: nn.Sequential(conv(3, 4), trained(nn.BatchNorm2d(4)), nn.ReLU()),
    "normalised before": lambda: nn.Sequential(trained(nn.BatchNorm2d(3)), nn.ReLU(), conv(3, 4)),
    "normalised function": lambda: Function(
        lambda m, x: m.b(F.conv2d(x, m.w, None, 2, 1)), w=nn.Parameter(torch.randn(4, 3, 3, 3)),
        b=trained(nn.BatchNorm2d(4)),
    ),
    "max": lambda: nn.Sequential(conv(3, 4), nn.MaxPool2d(3, 2, padding=1), conv(4, 4)),
    "max ceiling": lambda: nn.Sequential(conv(3, 4), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
    "max dilated": lambda: nn.Sequential(conv(3, 4), nn.MaxPool2d(2, 1, dilation=3), nn.ReLU()),
    "mean": lambda: nn.Sequential(conv(3, 4), nn.AvgPool2d(3, 2, padding=1), conv(4, 4)),
    "mean without padding": lambda: nn.Sequential(
        conv(3, 4), nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)
    ),
    "mean ceiling": lambda: nn.AvgPool2d(3, 2, ceil_mode=True),
    "mean divisor": lambda: nn.AvgPool2d(2, divisor_override=3),
    "adaptive": lambda: nn.Sequential(conv(3, 4, padding=1), nn.AdaptiveAvgPool2d(8)),
    "adaptive uneven": lambda: nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d(5), conv(4, 2)),
    "adaptive max": lambda: nn.Sequential(conv(3, 4), nn.AdaptiveMaxPool2d(4), conv(4, 2)),
    "global": lambda: nn.Sequential(conv(3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "global mean": lambda: Function(lambda m, x: m.a(x).mean([2, 3]), a=conv(3, 4)),
    "global mean kept": lambda: Function(lambda m, x: m.a(x).mean((-1, -2), True), a=conv(3, 4)),
    "channel mean": lambda: Function(lambda m, x: m.a(x).mean(1, True), a=conv(3, 4)),
    "response": lambda: nn.Sequential(conv(3, 8), nn.LocalResponseNorm(5), nn.ReLU(), conv(8, 2)),
    "in place": lambda: Function(
        lambda m, x: (lambda y: add_in_place(m.b(y), relu_in_place(y)))(m.a(x)),
        a=conv(3, 4, padding=1), b=nn.Sequential(conv(4, 4, padding=1), nn.ReLU(inplace=True)),
    ),
    "in place function": lambda: Function(
        lambda m, x: (lambda y: F.relu(y, inplace=True) + y)(m.a(x)), a=conv(3, 4)
    ),
    "residual": lambda: Function(
        lambda m, x: F.relu(m.a(x) + m.c(m.b(F.relu(m.a(x))))),
        a=conv(3, 4), b=conv(4, 4, padding=1), c=conv(4, 4, padding=1),
    ),
    "difference": lambda: Function(lambda m, x: 1.5 - m.a(x) - m.b(x), a=conv(3, 4), b=conv(3, 4)),
    "product": lambda: Function(
        lambda m, x: m.c(3 * m.a(x) * m.b(x) / 2), a=conv(3, 4), b=conv(3, 4), c=conv(4, 2)
    ),
    "constants": lambda: Function(
        lambda m, x: m.a(x * m.s + m.p) - m.p[:, :1, 2:, 2:], a=conv(3, 4),
        s=nn.Parameter(torch.randn(3, 1, 1)), p=nn.Parameter(torch.randn(1, 3, 16, 16)),
    ),
    "product with a map": lambda: Function(
        lambda m, x: m.a(x * m.p), a=conv(3, 4), p=nn.Parameter(torch.randn(16, 16))
    ),
    "concatenation": lambda: Function(
        lambda m, x: m.c(torch.cat([m.a(x), m.b(x), x], 1)),
        a=conv(3, 4, 5, padding=2), b=nn.MaxPool2d(3, 1, 1), c=conv(10, 4),
    ),
    "concatenation with a map": lambda: Function(
        lambda m, x: m.c(torch.cat([x, m.p.expand(x.shape[0], 1, 16, 16)], 1)),
        p=nn.Parameter(torch.randn(1, 1, 16, 16)), c=conv(4, 4),
    ),
    "chunks": lambda: Function(
        lambda m, x: torch.cat([m.b(m.a(x).chunk(2, 1)[1]), m.a(x)[:, 1:3, 1:-1, 1:-1]], 1),
        a=conv(3, 4), b=conv(2, 2),
    ),
    "split": lambda: Function(
        lambda m, x: torch.cat(m.a(x).split([1, 3], dim=1)[::-1], 1), a=conv(3, 4)
    ),
    "split rows": lambda: Function(lambda m, x: m.a(x).chunk(2, 2)[1], a=conv(3, 4)),
    "slices": lambda: Function(lambda m, x: m.a(x)[:, ::2] * m.a(x)[:, 1:2], a=conv(3, 4)),
    "one channel": lambda: Function(
        lambda m, x: torch.cat([x[:, 2].unsqueeze(1), x[:, None, 0]], 1)
    ),
    "rows": lambda: Function(lambda m, x: m.a(x)[:, :, 3:9], a=conv(3, 4)),
    "shuffle": lambda: Function(lambda m, x: m.b(shuffle(m.a(x))), a=conv(3, 4), b=conv(4, 2)),
    "shuffle module": lambda: nn.Sequential(conv(3, 4), nn.ChannelShuffle(2), conv(4, 2)),
    "channels last": lambda: Function(norm, a=conv(3, 4), b=conv(4, 4)),
    "linear on channels": lambda: Function(
        lambda m, x: m.a(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), a=nn.Linear(3, 5)
    ),
    "linear on columns": lambda: Function(lambda m, x: m.a(x), a=nn.Linear(16, 5)),
    "norm of maps": lambda: nn.Sequential(conv(3, 4), nn.LayerNorm((4, 14, 14)), conv(4, 2)),
    "group norm": lambda: nn.Sequential(conv(3, 4), nn.GroupNorm(2, 4), nn.ReLU(), conv(4, 2)),
    "excitation": lambda: Function(excite, a=conv(3, 4), b=conv(4, 4), c=conv(4, 4, 1)),
    "softmax": lambda: nn.Sequential(conv(3, 4), nn.Softmax(dim=1), conv(4, 2)),
    "softmax of rows": lambda: nn.Sequential(conv(3, 4), nn.Softmax(dim=2), conv(4, 2)),
    "activations": lambda: nn.Sequential(
        conv(3, 4), nn.SiLU(), nn.Hardswish(), nn.LeakyReLU(), nn.PReLU(), nn.ReLU6(), nn.Tanh(),
        nn.Dropout(), nn.Identity(), conv(4, 4), nn.Sigmoid(),
    ),
    "unknown": lambda: Function(
        lambda m, x: m.b(torch.cumsum(m.a(x), 2).relu()), a=conv(3, 4), b=conv(4, 2)
    ),
    "roll": lambda: Function(lambda m, x: m.a(torch.roll(x, 5, 3)), a=conv(3, 4)),
    "attention": lambda: Function(
        lambda m, x: m.t(m.a(x).flatten(2).transpose(1, 2), *[m.a(x).flatten(2).mT] * 2)[0].mean(1),
        a=conv(3, 8, 4, stride=4), t=nn.MultiheadAttention(8, 2, batch_first=True),
    ),
    "head": lambda: nn.Sequential(
        conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 8), nn.ReLU(),
        nn.Dropout(), nn.Linear(8, 5),
    ),
    "head by view": lambda: Function(
        lambda m, x: m.b(m.a(x).view(x.size(0), -1)), a=conv(3, 2, 3, stride=2), b=nn.Linear(98, 4)
    ),
    "head by shape": lambda: Function(
        lambda m, x: m.b(torch.reshape(m.a(x), (x.shape[0], 98))), a=conv(3, 2, 3, stride=2),
        b=nn.Linear(98, 4),
    ),
    "tiles": lambda: nn.Sequential(conv(3, 192), nn.ReLU(), conv(192, 192, padding=1), nn.ReLU()),
}  # fmt: skip


def engines(module, inputs, size, **settings):
    """A dense and an incremental engine for the channels of a module's output."""
    preprocessing = settings.pop("preprocessing", Preprocessing(channels=len(inputs)))
    model = Network(module.eval(), preprocessing, output="probabilities")
    name = list(model.nodes(inputs))[-1]
    width = model.predict(inputs[None], name).shape[1]
    return tuple(
        kind(model, inputs, range(width), node=name, **more, **settings)
        for kind, more in ((Dense, {}), (Incremental, {"size": size}))
    )


def held_against(dense, incremental, starts, draws, tolerance=2e-5):
    expected, found = dense.evaluate(starts, draws), incremental.evaluate(starts, draws)
    assert found.shape == expected.shape
    base = dense.model.predict(dense.inputs[None], dense.node)[:, dense.targets]
    scale = max(float(np.abs(expected).max()), float(np.abs(expected - base).max()), 1e-6)
    np.testing.assert_allclose(found, expected, atol=tolerance * scale)


def corners_and_others(rng, shape, size, count=6):
    """Windows in all corners and some in between."""
    windows = Windows.over(shape, size)
    last = np.array(shape) - np.array(windows.size)
    corners = np.array(np.meshgrid(*((0, n) for n in last), indexing="ij"))
    others = windows.starts[rng.choice(len(windows), count, replace=False)]
    return np.concatenate([corners.reshape(len(shape), -1).T, others])


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
    assert both[0].data.sizes["window"] == 5
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


@settings(max_examples=150)
@given(data=st.data())
def test_a_sliding_range_is_what_a_change_of_the_inputs_reaches(data):
    """Brute force: change every run of inputs of a convolution and see which outputs move."""
    side = Sliding(
        kernel=data.draw(st.integers(1, 5)),
        stride=data.draw(st.integers(1, 4)),
        padding=data.draw(st.integers(0, 4)),
        dilation=data.draw(st.integers(1, 3)),
    )
    size = data.draw(st.integers(max(1, side.extent - 2 * side.padding), 18))
    weight = torch.ones(1, 1, side.kernel)

    def outputs(values):
        return F.conv1d(values, weight, None, side.stride, side.padding, side.dilation)[0, 0]

    low = data.draw(st.integers(0, size - 1))
    high = data.draw(st.integers(low + 1, size))
    values = torch.zeros(1, 1, size)
    values[..., low:high] = 1
    moved = np.flatnonzero(outputs(values).numpy())
    count = len(outputs(values))
    found = clipped(side.reach(Interval(np.array(low), np.array(high))), count)
    assert 0 <= found.low < found.high <= count
    if side.dilation == 1 and side.kernel >= side.stride and len(moved):
        assert (found.low, found.high) == (moved.min(), moved.max() + 1)
    assert all(found.low <= place < found.high for place in moved)
    first, length = side.seen(found.low, found.high - found.low)
    assert length == (found.high - found.low - 1) * side.stride + side.extent
    assert first == found.low * side.stride - side.padding


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


def test_padding_moves_a_range():
    assert shifted(Interval(2, 5), 3) == (5, 8)
    assert clipped(shifted(Interval(2, 5), -4), 10) == (0, 1)


@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 1)])
def test_tiles_are_a_convolution(monkeypatch, padding):
    torch.manual_seed(0)
    inputs, weight = torch.randn(2, 5, 9, 7), torch.randn(6, 5, 3, 3)
    expected = F.conv2d(inputs, weight, None, 1, padding)
    found = winograd.Tiles(weight)(inputs, padding)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    monkeypatch.setattr(winograd, "_HELD", 1)  # a draw at a time
    np.testing.assert_allclose(winograd.Tiles(weight)(inputs, padding), expected, atol=1e-4)


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


def test_nobodys_modules_are_changed(rng):
    module = nn.Sequential(conv(3, 4), trained(nn.BatchNorm2d(4)), nn.ReLU(inplace=True)).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    Incremental(Network(module), inputs, [0], (4, 4), node="2", dtype=torch.bfloat16)
    assert module[2].inplace
    assert module[0].weight.dtype == torch.float32
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def broken(monkeypatch):
    """Boxes of pooling that are one place too short."""
    right = Sliding.reach

    def short(self, inputs):
        low, high = right(self, inputs)
        return Interval(low, high - 1) if self.stride == 2 else Interval(low, high)

    monkeypatch.setattr(Sliding, "reach", short)


def test_a_wrong_box_is_noticed_and_named(rng, small_network, monkeypatch):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"targets": 0, "window": 5, "stride": 3, "samples": 2}
    expected = preddiff.explain(small_network, inputs, engine="dense", **wish)
    broken(monkeypatch)
    with pytest.warns(EngineWarning, match="whole forward passes, as .* went wrong at _2 "):
        e = preddiff.explain(small_network, inputs, engine="incremental", **wish)
    assert e.provenance["engine"] == "dense"
    np.testing.assert_array_equal(e.evidence, expected.evidence)


class Asserting(nn.Module):
    """What torch.fx cannot trace, and torch.export can."""

    def __init__(self):
        super().__init__()
        self.first, self.second = conv(3, 4, padding=1), conv(4, 4, padding=1)
        self.norm, self.head = trained(nn.BatchNorm2d(4)), nn.Linear(4 * 64, 5)

    def forward(self, x):
        assert isinstance(x.shape[1], int)
        y = torch.relu_(self.norm(self.first(x)))
        y = F.max_pool2d(y + torch.relu(self.second(y)), 2)
        return self.head(y.view(x.shape[0], -1))


def test_torch_export_serves_where_fx_does_not(rng):
    torch.manual_seed(0)
    model = Network(Asserting().eval(), output="logits")
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    assert model.graph is None
    incremental = Incremental(model, inputs, [0], (3, 3))
    starts = corners_and_others(rng, (16, 16), (3, 3))
    draws = rng.random((len(starts), 2, 3, 3, 3)).astype(np.float32)
    assert deviation(incremental, starts, draws) < 1e-5
    assert incremental.program.whole == ["view_default"]


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = conv(3, 4)

    def forward(self, x):
        return self.layer(x).mean((2, 3)) if x.sum() > -1e9 else x


def test_what_cannot_be_traced_is_run_whole(rng):
    inputs = rng.random((3, 12, 12)).astype(np.float32)
    wish = {"targets": 0, "window": 5, "stride": 3, "samples": 2}
    with pytest.warns(EngineWarning, match="cannot be traced"):
        e = preddiff.explain(Untraceable().eval(), inputs, **wish)
    assert e.provenance["engine"] == "dense"


def test_other_models_have_no_boxes(rng):
    inputs = rng.random((3, 12, 12)).astype(np.float32)

    def model(x):
        return np.full((len(x), 2), 0.5)

    wish = {"targets": 0, "window": 5, "stride": 3, "samples": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert preddiff.explain(model, inputs, **wish).provenance["engine"] == "dense"
    with pytest.raises(SettingError, match="engine='incremental': .* is no torch network"):
        preddiff.explain(model, inputs, engine="incremental", **wish)
    with pytest.raises(SettingError, match="precision='bfloat16': only the incremental engine"):
        preddiff.explain(model, inputs, precision="bfloat16", **wish)
    with pytest.raises(SettingError, match="device='cuda': .* is no torch network"):
        preddiff.explain(model, inputs, device="cuda", **wish)


def test_a_device_that_is_not_there(rng, small_network):
    if torch.cuda.is_available():
        pytest.skip("there is one here")
    with pytest.raises(SettingError, match="device='cuda': cannot be used here"):
        preddiff.explain(small_network, rng.random((3, 16, 16)), device="cuda")


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


def test_a_precision_that_an_operation_does_not_know(rng, small_network, monkeypatch):
    from preddiff.engines import choice, precision

    def in_precision(self, dtype):
        raise NotImplementedError("\"avg_pool3d\" not implemented for 'BFloat16'")

    monkeypatch.setattr(Incremental, "in_precision", in_precision)
    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TIMING", 0)
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"window": 6, "stride": 4, "samples": 2, "engine": "incremental"}
    e = preddiff.explain(small_network, inputs, **wish)
    assert e.provenance["precision"] == "float32"
    with pytest.raises(SettingError, match="precision='bfloat16': .*avg_pool3d.*; choose"):
        preddiff.explain(small_network, inputs, precision="bfloat16", **wish)


def test_a_shorter_precision_says_its_error(rng, small_network):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"targets": 1, "window": 6, "stride": 2, "samples": 4, "engine": "incremental"}
    right = preddiff.explain(small_network, inputs, precision="float32", **wish)
    e = preddiff.explain(small_network, inputs, precision="bfloat16", **wish)
    assert right.provenance["precision"] == "float32"
    assert e.provenance["precision"] == "bfloat16"
    scale = np.sqrt((right.evidence**2).mean())
    error = np.sqrt(((e.evidence - right.evidence) ** 2).mean()) / scale
    assert 0 < e.provenance["precision_error"] < 0.05
    assert error < 3 * e.provenance["precision_error"]


@pytest.mark.parametrize(("limit", "chosen"), [(1.0, "bfloat16"), (1e-9, "float32")])
def test_a_shorter_precision_is_taken_if_it_is_faster_and_right(
    rng, small_network, monkeypatch, limit, chosen
):
    from preddiff.engines import choice, precision

    monkeypatch.setattr(precision, "shorter", lambda device: ["bfloat16"])
    monkeypatch.setattr(precision, "LARGEST_ERROR", limit)
    monkeypatch.setattr(choice, "_DRAWS_WORTH_TIMING", 0)
    monkeypatch.setattr(
        choice.Task, "seconds", lambda self, e: 1.0 if e.dtype == torch.float32 else 0.5
    )
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(small_network, inputs, engine="incremental", window=6, stride=4, samples=2)
    assert e.provenance["precision"] == chosen


def test_dense_is_taken_where_nothing_is_saved(rng):
    """Without a trial: a network that sees everything at once."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 8), nn.ReLU(), nn.Linear(8, 4))
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    wish = {"window": 6, "stride": 4, "samples": 2}
    assert preddiff.explain(module.eval(), inputs, **wish).provenance["engine"] == "dense"
    e = preddiff.explain(module, inputs, engine="incremental", **wish)
    assert e.provenance["engine"] == "incremental"


def test_dense_is_taken_where_it_is_faster(rng, small_network, monkeypatch):
    from preddiff.engines import choice

    monkeypatch.setattr(choice.Task, "seconds", lambda self, e: float(e.name != "dense"))
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(small_network, inputs, window=6, stride=4, samples=2)
    assert e.provenance["engine"] == "dense"


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
