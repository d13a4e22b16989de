import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError
from preddiff.render.overlay import stretched
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


def test_the_figure_says_what_differs_and_shares_a_scale_per_unit(rng):
    picture = rng.random((1, 8, 8))
    both = preddiff.compare(
        Softmax((1, 8, 8)), picture, window=[2, 4], sampler="constant:0", targets="top2"
    )
    figure = preddiff.figure(both)
    captions = [panel.get_ylabel() for panel in figure.axes if panel.get_ylabel()]
    assert [text.split("\n")[0] for text in captions[:4]] == ["window 2"] * 2 + ["window 4"] * 2
    assert len(figure.axes) == 4 * 3 + 1
    largest = max(float(np.abs(e.relevance).max()) for e in both)
    assert figure.axes[-1].get_ylim() == pytest.approx((-largest, largest))
    other = preddiff.explain(
        Softmax((1, 8, 8)), picture, window=4, sampler="constant:0", measure="DP"
    )
    mixed = preddiff.figure([both[0], other])
    assert len(mixed.axes) == 3 * 3 + 2  # two colour bars


def test_a_hidden_nodes_map_lies_over_the_whole_picture():
    values = np.arange(6.0).reshape(2, 3)
    wide = stretched(values, (4, 7))
    assert wide.shape == (4, 7)
    np.testing.assert_array_equal(wide[:, [0, 3, 6]], [[0, 1, 2]] * 2 + [[3, 4, 5]] * 2)


def test_channels_have_bars_and_units_no_figure(rng, small_network):
    settings = {"source": "1", "sampler": "constant:0", "engine": "dense"}
    picture = rng.random((3, 16, 16), dtype=np.float32)
    channels = preddiff.explain(small_network, picture, window="channel", **settings)
    panel = preddiff.figure(channels).axes[0]
    largest = np.abs(channels.relevance.values[0]).max()
    assert abs(panel.patches[0].get_height()) == pytest.approx(largest)
    assert "channel of 1, 6 of 6" in panel.get_xlabel()
    places = preddiff.explain(small_network, picture, window=4, stride=4, **settings)
    assert len(preddiff.figure(places).axes) == 3 + 1
    units = preddiff.explain(small_network, picture, window="unit", node="6", **settings)
    with pytest.raises(SettingError, match="figures are of pictures"):
        preddiff.figure(units)
    with pytest.raises(SettingError, match="one kind at a time"):
        preddiff.figure([channels, places])
