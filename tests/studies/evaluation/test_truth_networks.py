"""The networks of XAI-TRIS: as good as can be where that is known."""

import numpy as np
import pytest
import torch
from scipy import stats

from preddiff.datasets.parts import CLASSES, figures
from preddiff.datasets.xai_tris import xai_tris
from preddiff.studies.evaluation import truth_networks
from preddiff.studies.evaluation.truth_networks import split, trained


@pytest.fixture(scope="module")
def data():
    return xai_tris("linear", "white", 6000)


def test_logistic_regression_is_as_good_as_can_be(data):
    """White noise: pixels differ by 4·α/(1 - α) standard deviations at eight places."""
    network = trained("linear", data)
    distance = np.sqrt(8) * 4 * 0.18 / 0.82
    assert network.accuracy == pytest.approx(stats.norm.cdf(distance / 2), abs=0.04)
    weights = network.model.module[1].weight.detach().numpy()
    size = np.abs(weights[1] - weights[0]).reshape(8, 8)
    assert size[data.truth[0]].min() > size[~data.truth[0]].max()


def test_parts_share_no_picture():
    training, validation, test = split(1000)
    assert (training.stop, validation.start) == (800, 800)
    assert (validation.stop, test.start, test.stop) == (900, 900, 1000)


@pytest.mark.parametrize("name", ["linear", "mlp", "cnn"])
@pytest.mark.parametrize("side", [8, 64])
def test_training_follows_from_its_seed_and_leaves_torch_alone(monkeypatch, name, side):
    monkeypatch.setattr(truth_networks, "_EPOCHS", 1)
    monkeypatch.setattr(truth_networks, "_TRIES", 1)
    small = xai_tris("linear", "white", 40, side=side)
    state = torch.random.get_rng_state()
    first, again, other = (trained(name, small, seed).model for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    answers = [model.predict(small.pictures[:4]) for model in (first, again, other)]
    assert answers[0].shape == (4, 2)
    assert np.array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])


def test_a_network_has_as_many_answers_as_there_are_classes(monkeypatch):
    monkeypatch.setattr(truth_networks, "_EPOCHS", 1)
    monkeypatch.setattr(truth_networks, "_TRIES", 1)
    some = figures(40)
    assert trained("cnn", some).model.predict(some.pictures[:3]).shape == (3, CLASSES)


def test_who_is_right_too_seldom_starts_again(monkeypatch):
    monkeypatch.setattr(truth_networks, "_EPOCHS", 1)
    made = []
    make = truth_networks._MAKERS["mlp"]

    def counted(pictures, classes):
        made.append(make(pictures, classes))
        return made[-1]

    monkeypatch.setitem(truth_networks._MAKERS, "mlp", counted)
    trained("mlp", xai_tris("xor", "white", 40))
    monkeypatch.setattr(truth_networks, "ENOUGH", 0.0)
    tried = len(made)
    trained("mlp", xai_tris("xor", "white", 40))
    assert (tried, len(made) - tried) == (5, 1)
