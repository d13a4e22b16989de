"""TorchScript programs are run in whole passes; what does more than compute is refused."""

import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops.misc import Conv2dNormActivation

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


def test_modules_of_torchvision_are_no_operations(tmp_path):
    """Their classes lie in `torchvision.ops`, in which nothing is called."""
    network = nn.Sequential(Conv2dNormActivation(3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = load_model(_script(network, tmp_path / "mine.pt"), output="logits")
    assert model.predict(np.zeros((1, 3, 8, 8), np.float32)).shape == (1, 4)


@pytest.fixture
def damaged(small_network, tmp_path):
    """Returns a program of which one member of the archive was changed."""

    def make(member, change):
        path = _script(small_network, tmp_path / "sound.pt")
        with (
            zipfile.ZipFile(path) as old,
            zipfile.ZipFile(tmp_path / "bad.pt", "w") as new,
        ):
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, change(content) if name.endswith(member) else content)
        return tmp_path / "bad.pt"

    return make


def test_tensors_that_claim_more_than_there_is_are_not_read(damaged):
    """torch reads on behind the end of the bytes, and the process may die of it."""
    path = damaged("/data/0", lambda content: content[:-4])
    with pytest.raises(ModelError, match=r"storage '0' of \d+ numbers has \d+\); save it anew"):
        load_model(path)


def test_tensors_that_reach_beyond_their_storage_are_not_read(damaged):
    def larger(content):  # every length of one byte: sizes and strides, but no storage's numbers
        return content.replace(b"K\x03K\x03t", b"K\x03K\x7ft")

    path = damaged("/data.pkl", larger)
    with pytest.raises(ModelError, match=r"a tensor of sizes \(.*\) with strides .* save it anew"):
        load_model(path)
