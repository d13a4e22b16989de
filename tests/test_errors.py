"""One tree of exceptions, and the pieces of messages that all rooms use."""

import numpy as np
import pytest

import preddiff
from preddiff import errors


@pytest.mark.parametrize(
    "name",
    ["InputError", "SettingError", "ModelError", "TargetError", "SamplerError", "ResultError"],
)
def test_every_error_is_a_users_mistake(name):
    kind = getattr(errors, name)
    assert issubclass(kind, preddiff.PreddiffError)
    assert issubclass(kind, ValueError)
    assert f"{name} " in errors.__doc__


def test_only_the_first_line_of_another_librarys_message():
    assert errors.first_line(RuntimeError("  one\ntwo")) == "one"
    assert errors.first_line(KeyError()) == "KeyError"


def test_the_nearest_names_end_a_message():
    assert errors.nearest("gogglenet", ["googlenet", "vgg16"]) == "; nearest: googlenet"
    assert errors.nearest("zzz", ["googlenet"]) == ""


@pytest.mark.parametrize(
    ("function", "keyword", "nearest"),
    [
        ("explain", "target", "targets"),
        ("explain", "n_samples", "samples"),
        ("compare", "window_size", "window"),
        ("load_model", "preprocessing", "preprocess"),
        ("interactions", "region", "regions"),
        ("figure", "slice", "slices"),
        ("export", "maps", "map"),
        ("region_table", "region", "regions"),
    ],
)
def test_the_nearest_keyword_is_suggested(function, keyword, nearest):
    with pytest.raises(TypeError, match=f"argument '{keyword}'; nearest: .*{nearest}"):
        getattr(preddiff, function)(len, np.zeros((3, 4, 4)), **{keyword: 1})


UNSAFE = "a\x1b]0;owned\x07\r\n\x9b31m\u202eb\udce9é\u2028"
SAFE = r"a\x1b]0;owned\x07\r\n\x9b31m\u202eb\xe9é\u2028"


KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
]


@pytest.mark.parametrize("kind", KINDS)
def test_messages_have_no_control_characters(kind):
    assert str(kind(UNSAFE)) == SAFE
    assert str(kind(SAFE)) == SAFE
    assert getattr(kind("a"), "why", "") == ""
    assert errors.EngineWarning("a", UNSAFE).why == SAFE


def test_words_of_all_languages_are_left_alone():
    for text in ("naïve café", "猫", "قط", "क्षत्रिय", "👩‍🔬", "a\u00a0b"):
        assert errors.printable(text) == text
