"""Networks and functions of several inputs, one of which is explained."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff.errors import InputError, ModelError, SettingError
from preddiff.models import load_model, one_input
from preddiff.samplers import Constant, Marginal

PICTURE = np.random.default_rng(1).random((3, 12, 12)).astype(np.float32)
VECTOR = np.random.default_rng(2).normal(size=4).astype(np.float32)
TABLE = np.random.default_rng(3).normal(size=(7, 4)).astype(np.float32)


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(4 * 5 * 5 + 4, 3)

    def forward(self, picture, vector):
        return self.head(torch.cat([self.trunk(picture), vector], dim=1))


@pytest.fixture(scope="module")
def fusion():
    torch.manual_seed(0)
    return Fusion().eval()


def answers(network, picture, vector):
    with torch.no_grad():
        both = torch.from_numpy(picture[None]), torch.from_numpy(vector[None])
        return network(*both).double().softmax(1)[0].numpy()


@pytest.mark.parametrize("engine", ["incremental", "dense"])
def test_windows_of_the_picture_are_those_of_a_loop(fusion, engine):
    model = load_model(one_input(fusion, (PICTURE, VECTOR)), output="logits")
    e = preddiff.explain(
        model, PICTURE, 1, sampler=Constant(0.5), window=4, stride=4, measure="DP", engine=engine
    )
    whole = answers(fusion, PICTURE, VECTOR)[1]
    for number, (y, x) in enumerate(itertools.product((0, 4, 8), repeat=2)):
        hidden = PICTURE.copy()
        hidden[:, y : y + 4, x : x + 4] = 0.5
        evidence = whole - answers(fusion, hidden, VECTOR)[1]
        assert e.evidence.values[0, number] == pytest.approx(evidence, abs=1e-5)
    assert e.provenance["engine"] == engine


def test_features_of_the_vector_are_those_of_a_loop(fusion):
    model = load_model(one_input(fusion, (PICTURE, VECTOR), free=1), output="logits")
    e = preddiff.explain(model, VECTOR, 1, sampler=Marginal(TABLE), samples=7, measure="DP")
    whole = answers(fusion, PICTURE, VECTOR)[1]
    for number in range(4):
        rows = np.repeat(VECTOR[None], 7, axis=0)
        rows[:, number] = TABLE[:, number]
        evidence = whole - np.mean([answers(fusion, PICTURE, row)[1] for row in rows])
        assert e.evidence.values[0, number] == pytest.approx(evidence, abs=1e-5)


def test_another_vector_is_another_model(fusion):
    one, other = (load_model(one_input(fusion, (PICTURE, v)), output="logits") for v in TABLE[:2])
    assert one.sha256 != other.sha256


def test_functions_will_do(fusion):
    def classify(pictures, vectors):
        assert len(pictures) == len(vectors)
        with torch.no_grad():
            both = torch.from_numpy(np.float32(pictures)), torch.from_numpy(np.float32(vectors))
            return fusion(*both).double().softmax(1).numpy()

    named = {"sampler": Constant(0.5), "window": 4, "stride": 4, "targets": [2]}
    plain = preddiff.explain(one_input(classify, (PICTURE, VECTOR)), PICTURE, **named)
    network = load_model(one_input(fusion, (PICTURE, VECTOR)), output="logits")
    np.testing.assert_allclose(
        plain.evidence, preddiff.explain(network, PICTURE, **named).evidence, atol=1e-5
    )
    assert "classify" in plain.provenance["model"]


def test_wrong_inputs_are_said_in_one_line(fusion):
    for inputs, free, error, message in [
        ((PICTURE,), 0, SettingError, "inputs: expected two or more, in a tuple"),
        ((PICTURE, VECTOR), 2, SettingError, "free=2: expected the number of an input, 0 to 1"),
        ((PICTURE, VECTOR), True, SettingError, "free=True: expected the number of an input"),
        ((PICTURE, VECTOR * np.nan), 0, InputError, "input 1, an array of float32 and shape .4,."),
    ]:
        with pytest.raises(error, match=message):
            one_input(fusion, inputs, free)


def test_an_input_that_stays_is_given_without_the_axis_of_the_batch(fusion):
    def function(pictures, vectors):
        with torch.no_grad():
            return fusion(torch.as_tensor(pictures), torch.as_tensor(vectors)).softmax(1).numpy()

    for model, error in ((fusion, ModelError), (function, InputError)):
        with pytest.raises(error, match=r"batch\[0\]") as caught:
            preddiff.explain(
                one_input(model, (PICTURE, VECTOR[None])), PICTURE, sampler=Constant(0), window=4
            )
        assert "resize" not in str(caught.value)
