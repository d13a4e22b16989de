"""One tree of exceptions, and the pieces of messages that all rooms use."""

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
