"""torchvision's networks, with weights from a file, a download or chance."""

import numpy as np
import pytest
import torch

from preddiff import load_model
from preddiff.errors import ModelError


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "vit_b_16"])
def test_torchvision_with_random_weights(name):
    model = load_model(f"torchvision:{name}@random")
    assert model.labels[9] == "ostrich"
    assert model.shape == (3, 224, 224)
    picture = np.full((1, 3, 224, 224), 0.5, dtype=np.float32)
    again = load_model(f"torchvision:{name}@random")
    np.testing.assert_array_equal(model.predict(picture), again.predict(picture))
    assert model.sha256 == again.sha256


def test_googlenet_normalises_as_torchvision_does_with_its_weights():
    module = load_model("torchvision:googlenet@random").module
    assert module.transform_input


def test_torchvision_weights_from_a_file(tmp_path):
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    model = load_model(f"torchvision:squeezenet1_1@{tmp_path / 'weights.pth'}")
    for ours, theirs in zip(model.module.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_weights_that_would_run_code_are_refused(tmp_path):
    torch.save({"features": print}, tmp_path / "evil.pth")
    with pytest.raises(
        ModelError, match=r"not a state dict \(it holds more than tensors, and could"
    ):
        load_model(f"torchvision:alexnet@{tmp_path / 'evil.pth'}")


def test_weights_that_cannot_be_downloaded(monkeypatch):
    from urllib.error import URLError

    import torchvision.models

    def fail(*_args, **_kwargs):
        raise URLError("no internet")

    monkeypatch.setattr(torchvision.models, "get_model", fail)
    with pytest.raises(
        ModelError, match="weights could not be downloaded from https://.*no internet"
    ):
        load_model("torchvision:alexnet")


def test_cached_weights_that_would_run_code_are_refused(tmp_path, monkeypatch):
    from torchvision.models import AlexNet_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = AlexNet_Weights.DEFAULT.url.split("/")[-1]
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save({"features": print}, tmp_path / "hub/checkpoints" / name)
    with pytest.raises(ModelError, match="holds more than tensors and could run code; remove it"):
        load_model("torchvision:alexnet")


@pytest.mark.parametrize("share", [0, 0.5])
def test_cached_weights_that_are_cut_off_are_told(tmp_path, monkeypatch, share):
    from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints" / SqueezeNet1_1_Weights.DEFAULT.url.split("/")[-1]
    file.parent.mkdir(parents=True)
    torch.save(squeezenet1_1().state_dict(), file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ModelError, match="is damaged .*; remove it"):
        load_model("torchvision:squeezenet1_1")


def test_a_checkpoint_is_read_whatever_is_around_its_state_dict(tmp_path):
    plain = load_model("torchvision:squeezenet1_1@random")
    state = plain.module.state_dict()
    prefixed = {f"module.{name}": value for name, value in state.items()}
    for number, held in enumerate(
        [prefixed, {"epoch": 3, "state_dict": prefixed}, {"model": state}]
    ):
        torch.save(held, tmp_path / f"{number}.pt")
        assert (
            load_model(f"torchvision:squeezenet1_1@{tmp_path}/{number}.pt").sha256 == plain.sha256
        )


def test_weights_of_other_classes_say_how_many(tmp_path):
    from torchvision import models

    own = models.squeezenet1_1(num_classes=5).state_dict()
    torch.save(own, tmp_path / "five.pt")
    model = load_model(
        f"torchvision:squeezenet1_1@{tmp_path}/five.pt",
        labels={n: f"kind {n}" for n in range(5)},
        preprocess={"input_size": 96},
    )
    assert torch.equal(model.module.state_dict()["classifier.1.weight"], own["classifier.1.weight"])
    assert model.predict(np.zeros((1, 3, 96, 96), np.float32)).shape == (1, 5)
    assert model.labels[4] == "kind 4"
    assert model.shape == (3, 96, 96)
    assert load_model(f"torchvision:squeezenet1_1@{tmp_path}/five.pt").labels is None


def test_heads_that_only_training_needs_may_be_in_the_file_or_not(tmp_path):
    from torchvision import models

    network = models.googlenet(num_classes=3, init_weights=False)
    for number, held in enumerate(
        [
            network.state_dict(),
            {n: w for n, w in network.state_dict().items() if not n.startswith("aux")},
        ]
    ):
        torch.save(held, tmp_path / f"{number}.pt")
    first, other = (load_model(f"torchvision:googlenet@{tmp_path}/{n}.pt") for n in (0, 1))
    assert first.sha256 == other.sha256
    assert first.module.fc.out_features == 3
