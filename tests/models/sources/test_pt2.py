"""Programs of torch.export: what they compute is what is explained, and nothing else is done."""

import json
import warnings
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import preddiff
from preddiff import load_model
from preddiff.errors import InputWarning, ModelError


class Network(nn.Module):
    """Of most kinds of arguments: lists, lengths, constants, types, several outputs."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.last = nn.Linear(4, 3)
        self.register_buffer("scale", torch.full((1,), 2.0))

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        x = nn.functional.interpolate(x, scale_factor=0.5, mode="bilinear").mean((2, 3))
        x = x.view(x.shape[0], -1) + torch.tensor(1.5) * torch.arange(4, dtype=torch.float32)
        one, other = x.split(2, 1)
        largest, _ = torch.cat([other, one], 1).to(torch.float32).max(1, keepdim=True)
        scores = self.last(x * self.scale)
        return {"logits": scores, "more": (largest, scores.softmax(1))}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = Network()
    network(torch.randn(8, 3, 12, 12))  # statistics that are not those of no data
    return network.eval()


@pytest.fixture(scope="module")
def saved(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("pt2") / "mine.pt2"
    batch = ({0: torch.export.Dim("n")},)
    program = torch.export.export(network, (torch.randn(2, 3, 12, 12),), dynamic_shapes=batch)
    torch.export.save(program, path)
    return path


def _changed(path, folder, member, change):
    """Return a copy of a file in which one JSON member is another."""
    copy = folder / "changed.pt2"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(member):
                described = json.loads(content)
                change(described)
                content = json.dumps(described).encode()
            new.writestr(name, content)
    return copy


def test_a_program_gives_what_its_network_gives(saved, network, rng):
    model = load_model(saved, preprocess={"mean": 0.5, "std": 0.25}, labels=["a", "b", "c"])
    assert (model.spec, model.shape) == ("mine.pt2", (3, 12, 12))
    x = rng.random((3, 3, 12, 12), dtype=np.float32)
    with torch.inference_mode():
        theirs = network((torch.from_numpy(x) - 0.5) / 0.25)
        ours = model.module((torch.from_numpy(x) - 0.5) / 0.25)
    assert torch.equal(ours["logits"], theirs["logits"])
    assert all(map(torch.equal, ours["more"], theirs["more"]))
    np.testing.assert_allclose(model.predict(x), theirs["logits"].softmax(1), rtol=1e-5)
    assert "conv2d_default" in model.nodes(x[0])
    settings = {"sampler": "constant:0.5", "window": 4, "stride": 4, "precision": "float32"}
    e = preddiff.explain(model, x[0], engine="incremental", **settings)
    assert e.provenance["engine"] == "incremental"
    dense = preddiff.explain(model, x[0], engine="dense", **settings)
    np.testing.assert_allclose(e.evidence, dense.evidence, atol=1e-4)


@pytest.mark.parametrize("settings", [None, {"mean": [0.5] * 3, "std": [0.25] * 3}])
def test_pictures_get_the_size_that_a_program_was_exported_for(tmp_path, rng, settings):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 8, 2)).eval()
    path = tmp_path / "sized.pt2"
    torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 6, 8),)), path)
    model = load_model(path, output="logits", preprocess=settings)
    picture = (rng.random((30, 30, 3)) * 255).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if settings is None else "error")  # unprepared, it says
        assert model.prepare(Image.fromarray(picture)).shape == (3, 6, 8)


@pytest.mark.parametrize("ending", [nn.Softmax(1), nn.Sigmoid()])
def test_probabilities_of_a_sure_network_have_all_digits(tmp_path, ending):
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(inplace=True), ending).eval()
    nn.init.constant_(network[1].bias, 0.0)
    network[1].bias.data[1] = 100.0
    torch.export.save(torch.export.export(network, (torch.zeros(1, 1, 2, 2),)), tmp_path / "s.pt2")
    model = load_model(tmp_path / "s.pt2")
    both = model.both_sides(np.zeros((1, 1, 2, 2), np.float32))
    assert model.output == "probabilities"
    assert 0 < both[0, ~1] < 1e-40  # 1 - p, which float32 would say is 0


def test_one_of_several_outputs_is_taken_by_its_key(network, tmp_path, rng):
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x):
            found = self.network(x)
            return found["more"][0], found["logits"]

    path = tmp_path / "several.pt2"
    torch.export.save(torch.export.export(Several().eval(), (torch.randn(1, 3, 12, 12),)), path)
    x = rng.random((2, 3, 12, 12), dtype=np.float32)
    with torch.inference_mode():
        theirs = network(torch.from_numpy(x))
    model = load_model(path, output_key=1)
    np.testing.assert_allclose(model.predict(x), theirs["logits"].softmax(1), rtol=1e-5)
    two = torch.export.export(Several().eval(), (torch.randn(2, 3, 12, 12),))
    torch.export.save(two, tmp_path / "two.pt2")
    with pytest.raises(ModelError, match="two.pt2: takes 2 inputs at a time; export it for one"):
        load_model(tmp_path / "two.pt2")
    with pytest.warns(InputWarning, match=r"several.pt2 returned tuple with 0 \(1, 1\), 1 \(1, 3"):
        load_model(path, output="values").predict(x)


@pytest.mark.parametrize(
    "target",
    [
        "torch.serialization.os.system",
        "torch.ops.aten.from_file.default",
        "torch.ops.load_library",
        "torch.ops.image.read_file.default",
        "torch.ops.aten.relu.__class__",
        "_operator.methodcaller",
        "torch.ops.aten.relu.default\n",
    ],
)
def test_nothing_but_operations_that_compute_is_called(saved, tmp_path, target):
    def change(described):
        described["graph_module"]["graph"]["nodes"][1]["target"] = target

    with pytest.raises(ModelError, match="expected those of torch and torchvision that only") as e:
        load_model(_changed(saved, tmp_path, "model.json", change))
    assert "\n" not in str(e.value)


def test_nothing_is_unpickled_or_evaluated(saved, tmp_path, network):
    """What torch's own reader evaluates is not looked at."""
    evil = f"__import__('pathlib').Path({str(tmp_path / 'owned')!r}).touch()"

    def change(described):
        described["guards_code"] = [evil]
        described["range_constraints"][evil] = {"min_val": 0, "max_val": None}
        graph = described["graph_module"]["graph"]
        for value in graph["sym_int_values"].values():
            value["as_expr"]["expr_str"] = evil

    model = load_model(_changed(saved, tmp_path, "model.json", change))
    x = torch.rand(2, 3, 12, 12)
    assert torch.equal(model.module(x)["logits"], network(x)["logits"])
    assert not (tmp_path / "owned").exists()

    def pickled(described):
        described["config"]["last.bias"]["use_pickle"] = True

    with pytest.raises(ModelError, match="'last.bias' is pickled, and could run code"):
        load_model(_changed(saved, tmp_path, "weights_config.json", pickled))

    def opaque(described):
        next(iter(described["config"].values()))["path_name"] = "opaque_obj_0"

    with pytest.raises(ModelError, match="is pickled, and could run code: expected plain"):
        load_model(_changed(saved, tmp_path, "constants_config.json", opaque))


def test_names_do_not_become_code(saved, tmp_path):
    evil = "a=1, b=print"

    def keyword(described):
        for node in described["graph_module"]["graph"]["nodes"]:
            node["inputs"][0] |= {"name": evil, "kind": 2}

    with pytest.raises(ModelError, match="a name 'a=1, b=print'"):
        load_model(_changed(saved, tmp_path, "model.json", keyword))

    def weight(described):
        described["graph_module"]["signature"]["input_specs"][0]["parameter"] |= {
            "parameter_name": "weight\n"
        }

    with pytest.raises(ModelError, match="not a program of torch.export"):
        load_model(_changed(saved, tmp_path, "model.json", weight))


@pytest.mark.parametrize(
    ("member", "change", "message"),
    [
        ("model.json", lambda d: d["schema_version"].update(major=9), "of version .*expected 8"),
        ("model.json", lambda d: d.pop("graph_module"), "not a program of torch.export.*save it"),
        (
            "weights_config.json",
            lambda d: d["config"]["last.bias"]["tensor_meta"]["sizes"][0].update(as_int=10**9),
            "not a program of torch.export",
        ),
        (
            "model.json",
            lambda d: d["graph_module"]["signature"]["output_specs"].append({"token": {}}),
            "a program that changes its own weights; export it in evaluation mode",
        ),
    ],
)
def test_damaged_files_are_refused_in_one_line(saved, tmp_path, member, change, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_model(_changed(saved, tmp_path, member, change))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_programs(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere.pt2: no such file"):
        load_model("nowhere.pt2")
    (tmp_path / "text.pt2").write_text("text")
    with pytest.raises(ModelError, match=r"text.pt2: not a program of torch.export \(BadZipFile"):
        load_model(tmp_path / "text.pt2")
    torch.save({}, tmp_path / "state.pt2")
    with pytest.raises(ModelError, match=r"state.pt2: not a .* \(it has no models/model.json\)"):
        load_model(tmp_path / "state.pt2")
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with pytest.raises(ModelError, match=r"old.pt2: .* \(one of torch older than 2.8\); save it"):
        load_model(tmp_path / "old.pt2")
