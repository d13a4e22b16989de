"""Modules as people write them: what is optional may fail, the analysis may not."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import preddiff
from preddiff.errors import EngineWarning
from small_networks import Function, conv

RUN = {"targets": 0, "window": 6, "stride": 6, "samples": 2}


def head(m, y):
    return m.l(F.relu(y).mean((2, 3)))


class Optional(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.l = conv(3, 6), nn.Linear(6, 4)

    def forward(self, x, mask=None, labels=None, scale=1.0, **kwargs):
        y = self.c(x) * scale
        if mask is not None:
            y = y * mask
        scores = head(self, y)
        return scores if labels is None else F.cross_entropy(scores, labels)


def no_gradient(m, x):
    with torch.no_grad():
        return head(m, m.c(x))


def detached(m, x):
    return head(m, m.c(x.detach()))


def in_bytes(m, x):
    return head(m, m.c((x * 255).to(torch.uint8).float()))


def grid(m, x):
    places = torch.arange(x.shape[3], device=x.device).float() / x.shape[3]
    return head(m, m.c(x * places))


def power_per_pixel(m, x):
    return head(
        m, m.c(x.abs() ** m.p) + torch.pow(x.abs(), m.p).mean(1, keepdim=True)[..., 1:-1, 1:-1]
    )


def clamp_per_pixel(m, x):
    return head(m, m.c(torch.clamp(x, min=m.p - 0.5, max=m.p)))


def one_logit(m, x):
    return m.one(F.relu(m.c(x)).mean((2, 3)))


def function(run):
    torch.manual_seed(0)
    layers = {"c": conv(3, 6), "l": nn.Linear(6, 4), "one": nn.Linear(6, 1)}
    return Function(run, p=nn.Parameter(torch.rand(1, 1, 24, 24)), **layers).eval()


def same_as_whole(module, inputs, **settings):
    """Explain by both engines, and return what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = preddiff.explain(module, inputs, **RUN, **settings)
        right = preddiff.explain(module, inputs, engine="dense", **RUN, **settings)
    atol = 1e-3 * np.abs(right.evidence).max()
    np.testing.assert_allclose(found.evidence, right.evidence, atol=atol)
    return [each.message for each in caught if issubclass(each.category, EngineWarning)]


@pytest.mark.parametrize("run", [grid, power_per_pixel, clamp_per_pixel, one_logit])
def test_what_is_written_per_pixel_or_by_device_is_explained(rng, run):
    assert not same_as_whole(function(run), rng.random((3, 24, 24), "f4"))


def test_optional_arguments_of_forward_are_left_out(rng):
    assert not same_as_whole(Optional().eval(), rng.random((3, 24, 24), "f4"))


@pytest.mark.parametrize("run", [no_gradient, detached, in_bytes])
def test_without_a_gradient_there_is_no_sensitivity_map_and_a_line_says_so(rng, run):
    said = same_as_whole(function(run), rng.random((3, 24, 24), "f4"))
    assert all("no sensitivity map" in str(each) and each.why for each in said)
    assert said


def test_a_dark_border_raises_no_false_alarm(rng):
    inputs = rng.random((3, 24, 24), "f4")
    inputs[:, :, :12] = 0
    assert not same_as_whole(function(one_logit), inputs, sampler="constant:0")


def test_tensors_that_want_a_gradient_are_taken():
    assert not same_as_whole(Optional().eval(), torch.rand(3, 24, 24, requires_grad=True))


def small():
    torch.manual_seed(0)
    return nn.Sequential(
        conv(3, 6, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    ).eval()


@pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"
)
@pytest.mark.parametrize("kind", ["frozen", "exported", "quantised"])
def test_programs_and_quantised_networks_are_explained(rng, kind):
    module = small()
    if kind == "frozen":
        module = torch.jit.freeze(torch.jit.script(module))
    elif kind == "exported":
        module = torch.export.export(module, (torch.rand(1, 3, 24, 24),)).module()
    else:
        module = torch.ao.quantization.quantize_dynamic(module, {nn.Linear}, dtype=torch.qint8)
    same_as_whole(module, rng.random((3, 24, 24), "f4"))
