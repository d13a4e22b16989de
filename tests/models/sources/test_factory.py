"""Models that a function of the user's own code makes."""

import sys

import numpy as np
import pytest

from preddiff import load_model
from preddiff.errors import ModelError


def test_a_factory_makes_a_model(tmp_path, monkeypatch):
    (tmp_path / "my_factory_module.py").write_text(
        "import numpy as np\ndef make():\n    return lambda x: np.full((len(x), 2), 0.5)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_model("my_factory_module:make").predict(np.zeros((2, 1, 3, 3))).shape == (2, 2)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module whose factory always returns the same model."""
    (tmp_path / "one_model.py").write_text(
        "from preddiff.models import Linear\n"
        "MODEL = Linear([[[1.0, 2.0]]], labels=['a', 'b'], train_size=5)\n"
        "def make():\n    return MODEL\n"
        "def stumble():\n    raise KeyError('weights')\n"
        "def nothing():\n    return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("one_model", None)


@pytest.mark.usefixtures("module")
def test_a_factory_s_own_model_stays_as_it_is():
    model = load_model("one_model:make", labels=["no", "yes"], train_size=9)
    assert (model.labels, model.train_size) == (["no", "yes"], 9)
    assert (sys.modules["one_model"].MODEL.labels) == ["a", "b"]
    assert load_model("one_model:make").train_size == 5


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("spec", "settings", "message"),
    [
        (
            "one_model:stumble",
            {},
            r"one_model:stumble raised KeyError \('weights'\): expected a",
        ),
        ("one_model:nothing", {}, "an object of type int is no model: expected a SPEC"),
        ("one_model:mak", {}, "unknown model one_model:mak .*: expected package.module:factory"),
        (
            "one_model:make",
            {"preprocess": {"scale": 255}},
            "knows its own output and",
        ),
    ],
)
def test_factories_that_make_no_model(spec, settings, message):
    with pytest.raises(ModelError, match=message):
        load_model(spec, **settings)
