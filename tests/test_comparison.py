import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.comparison import Comparison, titles
from preddiff.errors import SettingError


def explained(rng, name="cat.png", **settings):
    settings = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0", **settings}
    explanation = preddiff.explain(Softmax((1, 8, 8)), rng.random((1, 8, 8)), **settings)
    return preddiff.Explanation(explanation.data.assign_attrs(input=name))


def test_each_is_called_by_what_differs(rng):
    small, large = explained(rng, window=2), explained(rng, window=4)
    assert titles([small, large]) == ["window 2", "window 4"]
    assert titles([small]) == ["cat.png"]
    grey = explained(rng, window=2, sampler="constant:0.5")
    assert titles([grey, large]) == ["constant:0.5, window 2", "constant:0, window 4"]
    assert titles([small, small]) == ["cat.png (1)", "cat.png (2)"]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("model", ["nets/squeezenet.onnx", "torchvision:vgg16"], ["squeezenet", "vgg16"]),
        ("node", ["", "conv1"], ["output", "conv1"]),
        ("source", ["", "conv1"], ["from the input", "from conv1"]),
        (
            "measure",
            ["weight_of_evidence", "difference_of_probabilities"],
            ["weight of evidence", "difference of probabilities"],
        ),
    ],
)
def test_settings_are_said_in_words(rng, name, values, expected):
    one = explained(rng)
    made = [preddiff.Explanation(one.data.assign_attrs({name: value})) for value in values]
    assert titles(made) == expected


def test_a_comparison_is_a_sequence_of_one_inputs_explanations(rng):
    one, other = explained(rng), explained(rng, window=2)
    both = Comparison([one, other])
    assert (len(both), list(both), both[1]) == (2, [one, other], other)
    assert repr(both) == "<Comparison of window 4, window 2>"
    with pytest.raises(SettingError, match=r"cat\.png and of dog\.png: expected the same input"):
        Comparison([one, explained(rng, "dog.png")])
    with pytest.raises(SettingError, match="expected at least one"):
        Comparison([])
    assert np.isfinite(both[0].relevance.values).all()
