"""The result: labelled arrays, and the texts that are made of them."""

import copy

import numpy as np
import pytest

from preddiff.method.windows import Windows
from preddiff.results.assembly import BaselineMap, assemble
from preddiff.results.explanation import Explanation


def explained(**changes):
    """Of a picture (1, 4, 5) with two windows and two targets."""
    settings = {"samples": 4, "tolerance": "", "relative_error": 0.0974, "unit": "bits"}
    corners = np.array([[0, 1], [2, 3]], dtype=np.int64)
    fields = {
        "windows": Windows((4, 5), (2, 2), corners),
        "picture": np.zeros((1, 4, 5), dtype=np.float32),
        "axes": ("y", "x"),
        "evidence": np.array([[1.0, -1.0], [0.5, 2.0]]),
        "evidence_error": np.full((2, 2), 0.1),
        "relevance": np.zeros((2, 4, 5)),
        "standard_error": np.full((2, 4, 5), 0.1),
        "importance": np.ones((2, 4, 5)),
        "importance_error": np.full((2, 4, 5), 0.1),
        "prediction": np.array([0.5, 0.25]),
        "targets": [7, 2],
        "labels": ["cat", "dog"],
        "baselines": {},
        "provenance": settings | changes.pop("provenance", {}),
    }
    return assemble(**(fields | changes))


def test_who_looks_for_a_method_is_told_the_function():
    e = explained()
    for name in ("save", "figure", "page", "export"):
        assert not hasattr(e, name)
        with pytest.raises(AttributeError, match=rf"it is preddiff.{name}\(e, ...\)"):
            getattr(e, name)
    with pytest.raises(AttributeError, match="no attribute 'relevanse'$"):
        getattr(e, "relevan" + "se")
    np.testing.assert_array_equal(copy.deepcopy(e).relevance, e.relevance)


def test_evidence_has_the_corners_of_its_windows():
    evidence = explained().evidence
    assert evidence.dims == ("target", "window")
    assert evidence.coords["y"].values.tolist() == [0, 2]
    assert evidence.coords["x"].values.tolist() == [1, 3]
    assert evidence.sel(target=2).where(evidence.x == 3, drop=True).values.tolist() == [2.0]


def test_importance_is_there_unless_the_result_is_older():
    e = explained()
    assert e.importance.dims == e.importance_error.dims == e.relevance.dims
    assert e.importance.attrs["units"] == e.unit
    old = Explanation(e.data.drop_vars(["importance", "importance_error"]))
    assert old.importance is None
    assert old.importance_error is None


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.5, "0.5"),
        (0.12345, "0.1235"),
        (1.0, "1"),
        (0.9999968, "0.9999968"),
        (1 - 3.2e-9, "0.9999999968"),
    ],
)
def test_a_probability_below_one_is_told_from_one(probability, text):
    e = explained(prediction=np.array([probability, 0.0]))
    assert e.values[0] == text


def test_an_activation_has_four_digits():
    e = explained(prediction=np.array([0.99999999, 1234.56]), provenance={"unit": "activation"})
    assert e.values == ("1", "1235")
    assert not e.of_probabilities


@pytest.mark.parametrize(
    ("settings", "draws"),
    [
        ({}, "4 draws"),
        ({"tolerance": 0.1}, "up to 4 draws"),
        ({"samples": 0}, "all draws (closed form)"),
    ],
)
def test_draws_in_words(settings, draws):
    e = explained(provenance=settings)
    assert e.draws == draws
    separator = " × " if e.provenance["samples"] else ", "
    assert repr(e).startswith(
        f"<Explanation of 4×5 for cat, dog: 2 windows{separator}{draws}, bits"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"samples": 0}, "exact (closed form, no sampling)"),
        ({"samples": 4, "relative_error": 0.0}, "exact (every possible draw)"),
    ],
)
def test_a_map_without_error_is_exact(settings, said):
    e = explained(provenance=settings, standard_error=np.zeros((2, 4, 5)))
    assert e.exactness == e.relative_error_text == said
    assert (f"2 windows, {said}" in repr(e)) == (not settings["samples"])
    assert explained(provenance=settings).exactness == ""


def test_the_relative_error_in_words_where_it_is_known():
    said = "relative error 9.7 % for the least certain target"
    assert explained().relative_error_text == said
    first = Explanation(explained().data.isel(target=[0]))
    assert first.relative_error_text == "relative error 9.7 %"
    unknown = explained(provenance={"relative_error": ""})
    assert unknown.relative_error_text == ""
    assert unknown.is_noise.tolist() == [np.isinf(e) for e in unknown.relative_errors]
    assert "no larger than its error" in unknown.precision_text
    assert unknown.precision_text in repr(unknown)
    assert said in repr(explained())
    assert explained().precision_text == said


def test_over_a_hidden_node_the_picture_has_axes_of_its_own():
    e = explained(picture=np.zeros((3, 8, 10), dtype=np.float32))
    assert e.picture.dims == ("picture_channel", "picture_y", "picture_x")
    assert e.relevance.shape == (2, 4, 5)


def test_a_picture_has_no_grid_and_no_sensitivity_unless_given():
    e = explained(
        baselines={"sensitivity": BaselineMap(np.ones((2, 4, 5)), "sensitivity", signed=False)}
    )
    assert e.grid is None
    assert e.sensitivity.shape == (2, 4, 5)
    assert explained().sensitivity is None


def test_labels_and_settings_of_strangers_have_no_control_characters():
    one = explained(
        labels=["\x1b[2Jcat", "dog\n"],
        provenance={"input": "a\x07.png", "model": "m\udce9.onnx", "note\r": "\u202e"},
        baselines={"other": BaselineMap(np.zeros((2, 4, 5)), "best\x1b[0m", True)},
    )
    assert one.labels == (r"\x1b[2Jcat", r"dog\n")
    assert one.provenance["input"] == r"a\x07.png"
    assert one.provenance["model"] == r"m\xe9.onnx"
    assert one.provenance[r"note\r"] == r"\u202e"
    assert one.baselines["other"].attrs["long_name"] == r"best\x1b[0m"
