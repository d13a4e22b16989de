"""Small networks of every kind of layer, and what holds engines against each other on them."""

import numpy as np
import pytest
import torch
from torch import fx, nn
from torch.nn import functional as F

from preddiff.engines import Dense
from preddiff.engines.incremental import Incremental
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing


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
    "tensors made of sizes": lambda: Function(
        lambda m, x: m.a(x).mean((2, 3)) + torch.arange(x.size(1)), a=conv(3, 3)
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
    if not model.nodes(inputs):
        traced_by_torch(module)
    name = list(model.nodes(inputs))[-1]
    width = model.predict(inputs[None], name).shape[1]
    return tuple(
        kind(model, inputs, range(width), node=name, **more, **settings)
        for kind, more in ((Dense, {}), (Incremental, {"size": size}))
    )


def traced_by_torch(module):
    """Skip what this torch cannot trace: old ones take no proxies of sizes and of lists."""
    try:
        fx.symbolic_trace(module)
    except TypeError as error:
        pytest.skip(f"torch {torch.__version__} cannot trace it ({error})")


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
