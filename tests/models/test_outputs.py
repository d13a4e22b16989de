"""What a model's numbers are: classes that exclude each other or not, and plain values."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff import load_model
from preddiff.errors import ModelError

WISH = {"sampler": "constant:0.5", "window": 8, "stride": 8, "train_size": math.inf}


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


def without_first(picture):
    hidden = picture.copy()
    hidden[:, :8, :8] = 0.5
    return hidden


@pytest.mark.parametrize("output", ["multilabel", "auto"])
def test_of_several_labels_each_has_its_own_odds(small_network, picture, output):
    network = small_network
    if output == "auto":  # which sees the sigmoid
        network = nn.Sequential(*small_network, nn.Sigmoid()).eval()
    e = preddiff.explain(
        load_model(network, output=output), picture, targets=2, engine="dense", **WISH
    )
    with torch.inference_mode():
        z = small_network(torch.from_numpy(np.stack([picture, without_first(picture)])))[:, 2]
    assert e.evidence.values[0, 0] == pytest.approx(float(z[0] - z[1]) / math.log(2), abs=1e-5)
    assert e.prediction.values[0] == pytest.approx(float(z[0].sigmoid()))


@pytest.mark.parametrize("engine", ["dense", "incremental"])
@pytest.mark.parametrize("alone", [False, True])
def test_values_have_their_own_unit(small_network, picture, engine, alone):
    network = nn.Sequential(*small_network, nn.Linear(4, 1)).eval()
    if alone:
        network = nn.Sequential(*network, nn.Flatten(0)).eval()  # (n,)
    model = load_model(network, output="values", unit="years")
    e = preddiff.explain(model, picture, engine=engine, **WISH)
    with torch.inference_mode():
        age = network(torch.from_numpy(np.stack([picture, without_first(picture)]))).flatten()
    assert e.evidence.values[0, 0] == pytest.approx(float(age[0] - age[1]), abs=1e-5)
    assert (e.unit, e.labels) == ("years", ("output 0",))
    assert not e.of_probabilities
    assert e.prediction.values[0] == pytest.approx(float(age[0]))
    assert "sensitivity" in e.baselines


def test_a_callable_may_return_values(picture):
    model = load_model(lambda x: 60 + x.mean((1, 2, 3)), output="values")
    e = preddiff.explain(model, picture, **WISH)
    expected = float(picture.mean() - without_first(picture).mean())
    assert e.evidence.values[0, 0] == pytest.approx(expected, abs=1e-5)
    assert e.unit == "units of the output"


def test_a_unit_is_of_values(small_network):
    with pytest.raises(ModelError, match="unit='years': .* gives probabilities; say output='valu"):
        load_model(small_network, unit="years")
    with pytest.raises(ModelError, match="output='odds': expected one of auto, logits, prob"):
        load_model(small_network, output="odds")
