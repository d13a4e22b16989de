"""Weights in a file, for a network that is known by name."""

import pytest
import torch
from torch import nn

from preddiff.errors import ModelError
from preddiff.models.networks import states


def build(classes):
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, classes))


def filled(held, tmp_path):
    torch.save(held, tmp_path / "w.pt")
    return states.filled(tmp_path / "w.pt", "tiny", build)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module._orig_mod."])
def test_the_number_of_classes_is_that_of_the_weights(tmp_path, prefix):
    own = build(5).state_dict()
    held = {"epoch": 3, "state_dict": {f"{prefix}{name}": value for name, value in own.items()}}
    module, classes = filled(held, tmp_path)
    assert classes == 5
    assert all(torch.equal(value, own[name]) for name, value in module.state_dict().items())


def test_what_does_not_fit_is_named(tmp_path):
    own = build(5).state_dict()
    other = {**own, "0.weight": torch.zeros(2, 1, 1, 1)}
    with pytest.raises(ModelError, match=r"0.weight has the shape \(2, 1, 1, 1\), and \(2, 3, 1"):
        filled(other, tmp_path)
    renamed = {name.replace("3.", "head."): value for name, value in own.items()}
    with pytest.raises(
        ModelError,
        match=r"\(3.weight and 1 more are missing, head.weight and 1 more are unknown\); give the",
    ):
        filled(renamed, tmp_path)
    del own["0.bias"]
    with pytest.raises(ModelError, match=r"not a state dict of tiny \(0.bias is missing\)"):
        filled(own, tmp_path)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (build(2), "it holds more than tensors, and could run code"),
        ([1, 2], "no names with tensors"),
        ({"epoch": 3}, "no names with tensors"),
    ],
)
def test_what_is_no_state_dict_is_told_in_one_line(tmp_path, held, message):
    with pytest.raises(ModelError, match=rf"w.pt: not a state dict \({message}\); exp") as caught:
        filled(held, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).split("w.pt: ")[1]) < 160
