"""TorchScript programs are run in whole passes; what does more than compute is refused."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff import load_model
from preddiff.errors import ModelError


def _script(network, path):
    with warnings.catch_warnings(action="ignore"):  # torch would rather have it exported
        torch.jit.save(torch.jit.script(network.eval()), path)
    return path


def test_a_program_gives_what_its_network_gives(small_network, tmp_path, rng):
    path = _script(small_network, tmp_path / "mine.pt")
    model = load_model(path, preprocess={"input_size": 16}, output="logits", labels=list("abcd"))
    plain = load_model(small_network, preprocess={"input_size": 16}, output="logits")
    x = rng.random((2, 3, 16, 16), dtype=np.float32)
    np.testing.assert_allclose(model.predict(x), plain.predict(x), rtol=1e-5)
    assert (model.spec, model.shape) == ("mine.pt", (3, 16, 16))
    e = preddiff.explain(model, x[0], sampler="constant:0.5", window=8, stride=8, engine="dense")
    assert e.labels[0] in "abcd"


class Writes(nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, self.path)
        return x.mean((2, 3))


class Reads(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) + torch.from_file("/etc/hostname", False, 1)


class Prints(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        print(x)  # noqa: T201
        return x.mean((2, 3))


@pytest.mark.parametrize(
    ("network", "call"), [(Writes("owned"), "save"), (Reads(), "from_file"), (Prints(), "print")]
)
def test_programs_that_do_more_than_compute_are_refused(tmp_path, monkeypatch, network, call):
    monkeypatch.chdir(tmp_path)
    path = _script(network, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=f"its code calls '{call}': expected a program that comp"):
        load_model(path)
    assert not (tmp_path / "owned").exists()


def test_weights_alone_are_no_program(small_network, tmp_path):
    torch.save(small_network.state_dict(), tmp_path / "state.pt")
    (tmp_path / "text.pt").write_text("text")
    for name in ("state", "text"):
        message = rf"{name}.pt: not a TorchScript program.*torchvision:NAME@FILE or timm:NAME@FILE"
        with pytest.raises(ModelError, match=message) as caught:
            load_model(tmp_path / f"{name}.pt")
        assert "\n" not in str(caught.value)
