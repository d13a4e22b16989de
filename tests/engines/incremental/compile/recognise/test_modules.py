"""Modules as functions: the same result by what `as_function` says."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from preddiff.engines.incremental.compile.recognise.modules import as_function


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(3, 6, 3, stride=2, padding=1, dilation=2, groups=3),
        nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
        nn.AvgPool2d(3, 2, padding=1),
        nn.AdaptiveAvgPool2d(4),
        nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0),
        nn.Linear(16, 5),
        nn.Hardtanh(-0.5, 0.7),
        nn.Softmax(dim=1),
        nn.LayerNorm((16,), elementwise_affine=False),
        nn.ConstantPad2d((1, 2, 0, 3), 0.5),
    ],
)
def test_a_function_gives_what_its_module_gives(module):
    x = torch.randn(2, 3, 16, 16)
    name, arguments = as_function(module)
    torch.testing.assert_close(getattr(F, name)(x, *arguments), module(x))


@pytest.mark.parametrize(
    "module", [nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.GELU(), nn.Dropout()]
)
def test_others_go_by_the_name_of_their_class(module):
    assert as_function(module) == (type(module).__name__, ())
