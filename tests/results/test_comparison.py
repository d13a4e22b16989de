import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError
from preddiff.results.comparison import Comparison, titles


def explained(rng, name="cat.png", picture=None, **settings):
    picture = rng.random((1, 8, 8)) if picture is None else picture
    settings = {"window": 4, "stride": 4, "samples": 2, "sampler": "constant:0", **settings}
    explanation = preddiff.explain(Softmax((1, 8, 8)), picture, **settings)
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
    picture = rng.random((1, 8, 8))
    one, other = explained(rng, picture=picture), explained(rng, picture=picture, window=2)
    both = Comparison([one, other])
    assert (len(both), list(both), both[1]) == (2, [one, other], other)
    assert repr(both) == "<Comparison of window 4, window 2>"
    with pytest.raises(SettingError, match=r"cat\.png and of dog\.png: expected the same input"):
        Comparison([one, explained(rng, "dog.png")])
    with pytest.raises(SettingError, match="expected at least one"):
        Comparison([])
    assert np.isfinite(both[0].relevance.values).all()


def test_two_arrays_are_two_inputs(rng):
    """They have one name, "array", and are told apart by the hash of their values."""
    one, other = (explained(rng, name="array") for _ in range(2))
    with pytest.raises(SettingError, match="of array and of array of other values: expected the"):
        Comparison([one, other])
    older = [preddiff.Explanation(each.data.assign_attrs(input_sha256="")) for each in (one, other)]
    assert len(Comparison(older)) == 2  # results without a hash go by the input's name


def test_every_combination_is_explained(rng):
    models = [Softmax((1, 8, 8)), Softmax((1, 8, 8), seed=7)]
    picture = rng.random((1, 8, 8))
    several = preddiff.compare(
        models, picture, window=[2, 4], sampler="constant:0", stride=2, targets=0
    )
    assert [e.provenance["window"] for e in several] == [2, 4, 2, 4]
    alone = preddiff.explain(
        models[1], picture, window=4, sampler="constant:0", stride=2, targets=0
    )
    np.testing.assert_array_equal(several[3].relevance, alone.relevance)
