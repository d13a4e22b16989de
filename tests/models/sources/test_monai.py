"""Bundles of MONAI: a class by its name, plain arguments, and weights.

A stand-in takes MONAI's place, which takes 7 s of a processor to import; `scripts/packages.py` is
held against the real one.
"""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff import load_model
from preddiff.errors import InputWarning, ModelError


class Net(nn.Module):
    def __init__(self, spatial_dims, in_channels, out_channels, act="relu", pretrained=True):
        super().__init__()
        assert (spatial_dims, act, pretrained) == (3, ["prelu", {"init": 0.2}], False)
        self.first = nn.Conv3d(in_channels, 4, 3)
        self.last = nn.Linear(4, out_channels)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)).mean((2, 3, 4)))


@pytest.fixture(autouse=True)
def _monai(monkeypatch):
    nets = ModuleType("monai.networks.nets")
    nets.Net, nets.Transchex, nets.look_up = Net, nn.Linear, print
    networks = ModuleType("monai.networks")
    networks.nets = nets
    for name, module in (("monai", ModuleType("monai")), ("monai.networks", networks)):
        monkeypatch.setitem(sys.modules, name, module)


CONFIG = {
    "imports": ["$import os"],
    "classes": 2,
    "network_def": {
        "_target_": "monai.networks.nets.Net",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": "@classes",
        "act": ["prelu", {"init": 0.2}],
        "pretrained": True,
    },
    "network": "$@network_def.to(@device)",
}
METADATA = {"network_data_format": {"outputs": {"pred": {"channel_def": {"1": "b", "0": "a"}}}}}


@pytest.fixture
def bundle(tmp_path):
    """A folder, and a function that changes its config."""
    for name in ("configs", "models"):
        (tmp_path / "mine" / name).mkdir(parents=True)

    def write(**changes):
        config = CONFIG | {"network_def": CONFIG["network_def"] | changes.pop("network_def", {})}
        (tmp_path / "mine/configs/inference.json").write_text(json.dumps(config | changes))
        return tmp_path / "mine"

    write()
    (tmp_path / "mine/configs/metadata.json").write_text(json.dumps(METADATA))
    torch.manual_seed(0)
    network = Net(3, 1, 2, ["prelu", {"init": 0.2}], pretrained=False).eval()
    torch.save({"model": network.state_dict()}, tmp_path / "mine/models/model.pt")
    return write, network


def test_a_bundle_gives_what_its_network_gives(bundle, rng):
    write, network = bundle
    model = load_model(f"monai:{write()}")
    assert (model.spec, model.labels) == ("monai:mine", ["a", "b"])
    x = rng.random((2, 1, 6, 6, 6), dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x)).softmax(1)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    e = preddiff.explain(model, x[0], sampler="constant:0", window=3, stride=3, engine="dense")
    assert e.labels[0] in "ab"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_target_": "os.system"}, "its network is 'os.system': expected one of monai.networks"),
        ({"_target_": "look_up"}, "its network is 'look_up': expected one of monai.networks"),
        ({"_target_": "Transchex"}, "its network is 'Transchex'.*that needs no download"),
        ({"in_channels": "$__import__('os')"}, r"in_channels of its network is .*plain numbers"),
        ({"act": {"_target_": "os.system"}}, r"act of its network is .*plain numbers and texts"),
        ({"act": ["a", "../b"]}, r"act of its network is '../b'"),
        ({"out_channels": "@gone"}, "out_channels of its network is '@gone'"),
        ({"out_channels": "@network"}, "out_channels of its network is '\\$@network_def"),
        ({"unheard": 1}, "its Net cannot be built .*unheard"),
        ({"in_channels": 2}, "model.pt: not a state dict of its Net .first.weight has the shape"),
    ],
)
def test_no_code_of_a_bundle_is_run(bundle, changes, message):
    write, _ = bundle
    with pytest.raises(ModelError, match=message) as caught:
        load_model(f"monai:{write(network_def=changes)}")
    assert "\n" not in str(caught.value)


def test_preparation_that_is_not_run_is_said(bundle):
    write, _ = bundle
    steps = [{"_target_": name} for name in ("LoadImaged", "EnsureChannelFirstd", "Spacingd")]
    with pytest.warns(InputWarning, match=r"its preprocessing is not run \(Spacingd\): give what"):
        load_model(f"monai:{write(preprocessing={'_target_': 'Compose', 'transforms': steps})}")


def test_folders_that_are_no_bundles(bundle, tmp_path):
    write, _ = bundle
    with pytest.raises(ModelError, match="monai:nowhere: no such folder; expected a bundle"):
        load_model("monai:nowhere")
    with pytest.raises(ModelError, match=r"no configs/inference.json: expected a bundle of MONAI"):
        load_model(f"monai:{tmp_path}")
    config = write() / "configs/inference.json"
    config.write_text("[]")
    with pytest.raises(ModelError, match=r"inference.json: not a config of MONAI"):
        load_model(f"monai:{tmp_path}/mine")
    config.write_text(json.dumps({"network": "$print(1)"}))
    with pytest.raises(ModelError, match="its config describes no network in network_def"):
        load_model(f"monai:{tmp_path}/mine")
    write()
    (tmp_path / "mine/models/model.pt").unlink()
    with pytest.raises(ModelError, match=r"models/model.pt: no such file"):
        load_model(f"monai:{tmp_path}/mine")
