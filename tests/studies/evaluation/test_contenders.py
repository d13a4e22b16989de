"""Every contender gives a map, the same for the same seed, or says why it cannot."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from preddiff import load_model
from preddiff.errors import ModelError
from preddiff.studies.evaluation import own_maps
from preddiff.studies.evaluation.contenders import CONTENDERS
from preddiff.studies.evaluation.own_maps import WindowsAlone
from preddiff.studies.evaluation.rise import rise
from studies.evaluation.additive import additive_model, truth

SIDE = 48
TARGET = 1


@pytest.fixture(scope="module")
def network():
    """Class 1 is how much red there is; green is seen, but decides nothing."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 2, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 2),
    )
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].weight[0, 0, 1, 1] = module[0].weight[1, 1, 1, 1] = 1.0
        module[0].bias.fill_(-0.5)
        module[4].weight.copy_(torch.tensor([[0.0, 0.0], [60.0, 0.0]]))
        module[4].bias.copy_(torch.tensor([2.0, 0.0]))
    return load_model(module.eval(), preprocess={"mean": [0.2] * 3}, output="logits")


@pytest.fixture(scope="module")
def picture():
    """The left half is red, the right half green."""
    values = np.zeros((3, SIDE, SIDE), dtype=np.float32)
    bright = np.random.default_rng(3).uniform(0.6, 1, (SIDE, SIDE // 2))
    values[0, :, : SIDE // 2] = values[1, :, SIDE // 2 :] = bright
    return values


# Of our own, one size stands for all; `test_own_maps_pass_their_settings_on` has small ones.
OURS = [name for name in CONTENDERS if name.startswith(("relevance", "importance"))]
SLOW = {"rise-1000", *OURS} - {"relevance-20-grey", "importance-20-grey"}
QUICK = [name for name in CONTENDERS if name not in SLOW]
KNOWING = [name for name in QUICK if not CONTENDERS[name].is_control]


@pytest.fixture(scope="module")
def made(network, picture):
    """Maps by name, each made once."""
    return cache(lambda name: CONTENDERS[name].make(network, picture, TARGET, 1))


@pytest.mark.parametrize("name", KNOWING)
def test_what_speaks_for_the_target_is_found(name, made):
    values = made(name)
    assert values.shape == (SIDE, SIDE)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    left, right = values[:, : SIDE // 2].mean(), values[:, SIDE // 2 :].mean()
    assert left > right


@pytest.mark.parametrize("name", [name for name in CONTENDERS if CONTENDERS[name].is_control])
def test_controls_give_maps_without_asking_the_model(name, picture):
    values = CONTENDERS[name].make(None, picture, None, 0)
    assert values.shape == (SIDE, SIDE)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", KNOWING)
def test_a_map_follows_from_its_seed(name, made, network, picture):
    contender = CONTENDERS[name]
    state = torch.random.get_rng_state()
    other = contender.make(network, picture, TARGET, 2)
    assert np.array_equal(other, made(name)) != contender.is_random
    if contender.is_random:
        assert np.array_equal(contender.make(network, picture, TARGET, 1), made(name))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_centre_is_highest_in_the_centre(picture):
    values = CONTENDERS["centre"].make(None, picture, None, 0)
    assert values[23, 23] == values[24, 24] == values.max()
    assert values[0, 0] == values.min()


def test_importance_is_unsigned_and_relevance_signed(network, picture):
    importance = CONTENDERS["importance-20-grey"].make(network, picture, TARGET, 0)
    against = CONTENDERS["relevance-20-grey"].make(network, picture, 0, 0)
    assert importance.min() >= 0
    assert against[:, : SIDE // 2].mean() < 0 < importance[:, : SIDE // 2].mean()


def test_own_maps_pass_their_settings_on(rng):
    small = rng.uniform(0.3, 0.7, (3, 16, 16)).astype(np.float32)
    model = additive_model(rng.normal(scale=0.1, size=small.shape).astype(np.float32))
    narrow, wider = WindowsAlone(3, "conditional"), WindowsAlone(8, "conditional")
    for name in ("relevance", "importance"):
        first, again, other = (getattr(narrow, name)(model, small, 1, seed) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        wide = getattr(wider, name)(model, small, 1, 1)
        assert np.abs(wide).mean() > 1.3 * np.abs(first).mean()


def test_the_draws_own_variance_is_no_importance(rng):
    small = rng.uniform(0.3, 0.7, (3, 16, 16)).astype(np.float32)
    model = additive_model(rng.normal(scale=0.1, size=small.shape).astype(np.float32))
    settings = {"window": 3, "sampler": "conditional"}
    explanation = own_maps.explain(
        model, small, targets=[1], samples=2, stride=1, seed=0, train_size=math.inf, **settings
    )
    raw = explanation.evidence.values**2
    corrected = WindowsAlone(**settings).importance(model, small, 1, 0) ** 2
    first = corrected[0, 0]  # one window covers the corner
    noise = explanation.evidence_error.values[0, 0] ** 2
    assert first == pytest.approx(max(0, raw[0, 0] - noise))
    assert noise > 0


def test_rise_finds_what_an_additive_model_adds():
    weights = np.zeros((1, 32, 32), dtype=np.float32)
    weights[0, 4:12, 4:12] = 0.2
    weights[0, 20:28, 20:28] = -0.2
    picture = np.ones((1, 32, 32), dtype=np.float32)
    values = rise(additive_model(weights), picture, 1, 0, masks=400)
    known = truth(weights, picture)
    assert values[known > 0].mean() > values.mean() + values.std()
    assert values[known < 0].mean() < values.mean() - values.std()


@pytest.mark.parametrize("name", ["grad_cam", "smooth_grad", "lime"])
def test_what_needs_a_network_says_so(name, picture):
    model = additive_model(np.zeros((3, SIDE, SIDE), dtype=np.float32))
    with pytest.raises(ModelError, match="is no torch network, of which Captum's methods are"):
        CONTENDERS[name].make(model, picture, TARGET, 0)


def test_nothing_is_guided_without_a_relu(picture):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    model = load_model(module, output="logits")
    with pytest.raises(ModelError, match=r"guided_grad_cam: .* has no ReLU that is a module"):
        CONTENDERS["guided_grad_cam"].make(model, picture, TARGET, 0)
