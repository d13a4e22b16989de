"""What a model's answer has to be."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import preddiff
from preddiff.errors import ModelError


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda a: np.full(len(a), 0.5), r"returned shape \(1,\) for 1 inputs: expected \(1, K\)"),
        (lambda a: np.full((len(a), 2), np.nan), "returned NaN or infinite values"),
        (lambda a: np.full((len(a), 2), 3.0), "values from 3 to 3 are not probabilities"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answer, message):
    with pytest.raises(ModelError, match=message):
        preddiff.explain(answer, np.zeros((1, 8, 8)), sampler="constant:0", window=3)


def test_a_model_says_what_it_is(small_network):
    named = preddiff.load_model(small_network, labels=["cat", "dog", "owl", "pig"])
    assert repr(named) == "<Network module:Sequential: inputs of any size, 4 classes with names>"
    assert repr(preddiff.load_model("embedded")) == (
        "<Network embedded: inputs (3, 224, 224), 1,000 classes with names>"
    )


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_picture_is_prepared_from_its_file(tmp_path, embedded, as_path):
    file = tmp_path / "cat.png"
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), "u1"))
    picture.save(file)
    for model in (embedded, preddiff.load_model(lambda x: np.full((len(x), 2), 0.5))):
        np.testing.assert_array_equal(model.prepare(as_path(file)), model.prepare(picture))
