"""Contenders where the truth is known: every one gives a map, and draws are as they should be."""

import numpy as np
import pytest
import torch
from torch import nn

from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.studies.evaluation.own_maps import WindowsAlone
from preddiff.studies.evaluation.truth_contenders import (
    TRUTH_CONTENDERS,
    WholePicture,
    truth_contenders,
)
from studies.evaluation.additive import additive_model

SIDE = 8
SPREAD = 0.05  # of a pixel


@pytest.fixture(scope="module")
def training():
    return np.random.default_rng(0).normal(0.5, SPREAD, (400, 1, SIDE, SIDE)).astype(np.float32)


@pytest.fixture(scope="module")
def contenders(training):
    return truth_contenders(training)


@pytest.fixture(scope="module")
def network():
    """Class 1 is how bright a corner is."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        weights = torch.zeros(SIDE, SIDE)
        weights[:2, :2] = 2.0
        module[1].weight.copy_(weights.flatten()[None].repeat(4, 1))
        module[1].bias.fill_(0.5)
        module[3].weight.copy_(torch.tensor([[0.0] * 4, [0.01] * 4]))
        module[3].bias.fill_(0.0)
    preprocessing = Preprocessing(size=(SIDE, SIDE), channels=1, mean=(0.5,), std=(SPREAD,))
    return Network(module.eval(), preprocessing, output="logits")


@pytest.fixture(scope="module")
def picture(training):
    values = training[0].copy()
    values[0, :2, :2] = 0.7
    return values


@pytest.mark.parametrize("name", TRUTH_CONTENDERS)
def test_everyone_finds_the_corner_but_controls(name, contenders, network, picture):
    contender = contenders[name]
    values = np.abs(contender.make(network, picture, 1, 3))
    assert values.shape == (SIDE, SIDE)
    assert np.isfinite(values).all()
    if not contender.is_control:
        assert values[:2, :2].mean() > values.mean() + values.std()


def test_names_and_labels_do_not_depend_on_the_pictures(contenders):
    assert {n: c.label for n, c in contenders.items()} == {
        n: c.label for n, c in TRUTH_CONTENDERS.items()
    }


def test_a_set_is_drawn_given_exactly_what_is_visible(rng):
    basis = rng.normal(size=(9, 9)) * 0.02
    covariance = basis @ basis.T + 1e-4 * np.eye(9)
    mean = rng.uniform(0.4, 0.6, 9)
    sampler = WholePicture(mean, covariance, (1, 3, 3), clip=False)
    picture = rng.multivariate_normal(mean, covariance).reshape(1, 3, 3).astype(np.float32)
    windows = Windows.over((3, 3), 1).subset([0, 4, 5])
    drawn = sampler.fill(picture, windows, 4000, 1, None).reshape(4000, 9).astype(np.float64)
    hidden, visible = [0, 4, 5], [1, 2, 3, 6, 7, 8]
    assert np.array_equal(drawn[:, visible], np.tile(picture.ravel()[visible], (4000, 1)))
    gain = covariance[np.ix_(hidden, visible)] @ np.linalg.inv(covariance[np.ix_(visible, visible)])
    expected = mean[hidden] + gain @ (picture.ravel()[visible] - mean[visible])
    spread = covariance[np.ix_(hidden, hidden)] - gain @ covariance[np.ix_(visible, hidden)]
    error = 4 * np.sqrt(np.diag(spread).max() / 4000)
    assert drawn[:, hidden].mean(axis=0) == pytest.approx(expected, abs=error)
    assert np.cov(drawn[:, hidden].T) == pytest.approx(spread, abs=0.15 * np.diag(spread).max())
    again = sampler.fill(picture, windows, 2, 1, None)
    assert np.array_equal(again, sampler.fill(picture, windows, 2, 1, None))
    assert not np.array_equal(again, sampler.fill(picture, windows, 2, 2, None))


def test_draws_of_a_set_stay_in_the_range():
    sampler = WholePicture(np.full(4, 0.5), np.eye(4), (1, 2, 2))
    picture = np.full((1, 2, 2), 0.5, dtype=np.float32)
    windows = Windows.over((2, 2), 1).subset([0, 3])
    drawn = sampler.fill(picture, windows, 50, 0, (0.0, 1.0))
    assert (drawn.min(), drawn.max()) == (0, 1)


def test_the_change_does_not_vanish_where_a_pixel_is_average():
    """Of log-odds w·x and x_w ~ N(½, σ²): w² ((x - ½)² + σ²), in bits."""
    weights = np.zeros((1, 4, 4), dtype=np.float32)
    weights[0, 1, 1] = weights[0, 2, 2] = 2.0
    picture = np.full((1, 4, 4), 0.5, dtype=np.float32)
    picture[0, 2, 2] = 0.6
    sampler = WholePicture(np.full(16, 0.5), SPREAD**2 * np.eye(16), (1, 4, 4))
    values = WindowsAlone(1, sampler, 2000).change(additive_model(weights), picture, 1, 0)
    expected = 2 * np.sqrt((picture[0] - 0.5) ** 2 + SPREAD**2) / np.log(2)
    assert values[1, 1] == pytest.approx(expected[1, 1], rel=0.1)
    assert values[2, 2] == pytest.approx(expected[2, 2], rel=0.1)
    assert values[0, 0] == 0
