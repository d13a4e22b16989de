"""Hidden nodes as targets and as sources (section 3.3): closed forms, and clear refusals."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import preddiff
from conftest import DATA, needs_data
from preddiff.errors import SamplerError, SettingError, TargetError
from preddiff.models.networks.downstream import Downstream
from preddiff.models.networks.network import Network
from preddiff.samplers import Constant, Marginal

LABELS = ["cat", "dog", "owl", "pig"]


class Branches(nn.Module):
    """Two branches that meet, one of them by a residual connection."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.left = nn.Conv2d(5, 4, 3, padding=1)
        self.right = nn.Conv2d(5, 4, 1)
        self.act = nn.ReLU(inplace=True)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.act(self.first(x))
        left = self.left(x)
        right = self.act(self.right(x))
        both = torch.cat([left + right, right], 1)
        return self.fc(both.mean((2, 3)))


@pytest.fixture(scope="module")
def branches():
    torch.manual_seed(3)
    return Network(Branches().eval(), labels=LABELS)


@pytest.fixture(scope="module")
def googlenet():
    return preddiff.load_model(DATA / "models" / "bvlc_googlenet.onnx")


@pytest.fixture
def picture(rng):
    return rng.random((3, 12, 12), dtype=np.float32)


class SideInPlace(nn.Module):
    """A side branch that the main one changes in place, and a source that does so itself."""

    def __init__(self):
        super().__init__()
        self.first, self.side = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
        self.act = nn.ReLU(inplace=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        main, side = self.first(x), self.side(x)
        self.act(main)
        side.add_(2 * main)
        side.mul_(main + 1)
        return self.fc(torch.cat([main, side, self.act(main - side)], 1).mean((2, 3)))


@pytest.mark.parametrize("engine", ["dense", "incremental"])
@pytest.mark.parametrize("source", ["first", "act"])
def test_a_side_branch_that_is_changed_in_place_is_right_in_every_batch(picture, source, engine):
    torch.manual_seed(5)
    module = SideInPlace().eval()
    e = preddiff.explain(
        Network(module), picture, "all", source=source, sampler="constant:0", window=4, stride=4,
        samples=2, engine=engine, measure="DP", train_size=np.inf,
    )  # fmt: skip
    x = torch.from_numpy(picture)[None]
    with torch.inference_mode():
        before = module(x).softmax(1)
        for number, (top, left) in enumerate(e.data["window_start"].values):
            zeros = torch.ones(1, 1, 12, 12)
            zeros[..., top : top + 4, left : left + 4] = 0
            layer = module.first if source == "first" else module.act
            hook = layer.register_forward_hook(Hidden(zeros))
            change = (before - module(x).softmax(1))[0]
            hook.remove()
            np.testing.assert_allclose(e.evidence[:, number], change, atol=1e-6)


class Hidden:
    """A hook that hides a window of a layer's output, in place, when it is first called."""

    def __init__(self, zeros):
        self.zeros = zeros

    def __call__(self, _layer, _inputs, values):
        values.mul_(self.zeros)
        self.zeros = 1


SETTINGS = {"window": 4, "stride": 4, "samples": 6, "engine": "dense"}


def both_engines(*args, **settings):
    dense, boxes = (
        preddiff.explain(*args, **{**settings, "engine": engine, "precision": "float32"})
        for engine in ("dense", "incremental")
    )
    np.testing.assert_allclose(dense.evidence, boxes.evidence, atol=2e-5)
    return boxes


def test_hidden_differences_of_a_linear_network_are_exact(picture):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3, padding=1)
    network = Network(nn.Sequential(conv, nn.Flatten(), nn.Linear(4 * 144, 2)).eval())
    e = both_engines(
        network, picture, node="0", targets="all", sampler="constant:0", window=4, stride=4
    )
    for number, (y, x) in enumerate(e.data["window_start"].values):
        part = np.zeros_like(picture)
        part[:, y : y + 4, x : x + 4] = picture[:, y : y + 4, x : x + 4]
        with torch.no_grad():  # the map of what the window holds, without the bias
            made = torch.conv2d(torch.from_numpy(part)[None], conv.weight, padding=1)
        expected = made[0].mean((1, 2)).numpy()
        np.testing.assert_allclose(e.evidence[:, number], expected, atol=1e-6)


def test_a_feature_map_is_the_mean_of_its_units(branches, picture):
    whole = preddiff.explain(branches, picture, node="left", targets=[2], **SETTINGS)
    names = [f"2:{y},{x}" for y in range(12) for x in range(12)]
    each = preddiff.explain(branches, picture, node="left", targets=names, **SETTINGS)
    np.testing.assert_allclose(each.relevance.mean("target"), whole.relevance[0], atol=1e-6)
    assert each.labels[13] == "left 2:1,1"


def test_units_and_maps_stand_side_by_side(branches, picture):
    e = both_engines(
        branches, picture, node="left", targets=[1, "1:0,0"], window=4, stride=4, samples=4
    )
    assert e.labels == ("left 1", "left 1:0,0")
    far = e.evidence.sel(window=(e.evidence.y == 8) & (e.evidence.x == 8))
    assert far[1] == 0  # out of the unit's reach
    assert far[0] != 0


def test_the_first_convolution_as_a_source_equals_hiding_in_its_output(branches, picture):
    """Equation 5, literally: change the node's values by hand and run what follows."""
    pool = np.abs(np.random.default_rng(5).normal(size=(6, 5, 12, 12))).astype(np.float32)
    e = both_engines(
        branches, picture, source="act", sampler=Marginal(pool), samples=6, window=5, stride=3
    )
    assert e.relevance.dims == ("target", "y", "x")
    assert e.picture.shape == picture.shape
    module = branches.module
    with torch.no_grad():
        hidden = torch.relu(module.first(torch.from_numpy(picture)[None]))

        def rest(x):
            right = torch.relu(module.right(x))
            both = torch.cat([module.left(x) + right, right], 1)
            return module.fc(both.mean((2, 3))).double().softmax(1)

        base = rest(hidden)[0].max().item()
        top = int(rest(hidden)[0].argmax())
        y, x = (int(n) for n in e.data["window_start"].values[4])
        changed = hidden.repeat(6, 1, 1, 1)
        changed[:, :, y : y + 5, x : x + 5] = torch.from_numpy(pool[:, :, y : y + 5, x : x + 5])
        without = rest(changed)[:, top].mean().item()
    expected = np.log2(base / (1 - base)) - np.log2(without / (1 - without))
    assert float(e.evidence[0, 4]) == pytest.approx(expected, abs=1e-4)


def test_what_does_not_depend_on_the_source_keeps_its_values(branches, picture):
    """`left` is the source; `right`, which stands beside it, stays as it is."""
    e = both_engines(
        branches, picture, source="left", node="fc", targets=[0], sampler="constant:0",
        window=12, measure="AD",
    )  # fmt: skip
    module = branches.module
    with torch.no_grad():
        x = torch.relu(module.first(torch.from_numpy(picture)[None]))
        difference = torch.cat([module.left(x), torch.zeros(1, 4, 12, 12)], 1).mean((2, 3))
        expected = (difference @ module.fc.weight.T)[0, 0].item()
    assert float(e.evidence[0, 0]) == pytest.approx(expected, abs=1e-5)


def test_channels_of_a_linear_end_share_its_value(branches, picture):
    """AD of the logits of hiding a channel is its mean times the weight; they add up."""
    e = both_engines(
        branches, picture, source="cat", node="fc", targets="all", window="channel",
        sampler=Constant(0.0),
    )  # fmt: skip
    assert e.relevance.dims == ("target", "channel")
    assert e.relevance.shape == (4, 8)
    values = Downstream(branches, "cat", picture, "channel").values  # (place, channel)
    weights = branches.module.fc.weight.detach().numpy()
    np.testing.assert_allclose(e.relevance, weights * values.mean(axis=0), atol=1e-5)


def test_units_of_a_source_add_up_to_their_channel(branches, picture):
    settings = {"source": "cat", "node": "fc", "targets": [1], "sampler": Constant(0.0)}
    units = preddiff.explain(branches, picture, window="unit", engine="dense", **settings)
    channels = preddiff.explain(branches, picture, window="channel", engine="dense", **settings)
    assert units.relevance.dims == ("target", "channel", "y", "x")
    np.testing.assert_allclose(units.relevance.sum(("y", "x")), channels.relevance, atol=1e-5)


def test_the_softmax_from_the_logits_is_a_direct_computation(branches, picture):
    """Source: the logits; hiding one leaves the softmax of the others and of its draws."""
    pool = np.random.default_rng(1).normal(size=(9, 1, 4)).astype(np.float32)
    e = preddiff.explain(
        branches, picture, source="fc", window="unit", targets="all", sampler=Marginal(pool),
        samples=9, train_size=np.inf,
    )  # fmt: skip
    logits = branches.module(torch.from_numpy(picture)[None]).detach().double().numpy()[0]

    def softmax(z):
        z = np.exp(z - z.max(axis=-1, keepdims=True))
        return z / z.sum(axis=-1, keepdims=True)

    for unit in range(4):
        changed = np.tile(logits, (9, 1))
        changed[:, unit] = pool[:, 0, unit]
        p, q = softmax(logits), softmax(changed).mean(axis=0)
        expected = np.log2(p / (1 - p)) - np.log2(q / (1 - q))
        np.testing.assert_allclose(e.relevance[:, unit], expected, atol=1e-5)
    assert e.labels == tuple(LABELS)


def test_a_source_that_is_the_input_changes_nothing(picture):
    """The first node is what the network sees: the same numbers as the ordinary analysis."""
    torch.manual_seed(0)
    trunk = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3)]
    network = Network(nn.Sequential(nn.Identity(), *trunk).eval())
    settings = {
        "sampler": preddiff.samplers.ConditionalGaussian.natural(8, clip=False),
        "samples": 3, "stride": 3, "window": 4, "targets": "all",
    }  # fmt: skip
    plain = preddiff.explain(network, picture, **settings)
    from_node = preddiff.explain(network, picture, source="0", **settings)
    np.testing.assert_allclose(plain.evidence, from_node.evidence, atol=1e-6)
    np.testing.assert_allclose(plain.relevance, from_node.relevance, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"node": "leftt"}, TargetError, "no node 'leftt'.*left"),
        ({"node": "left", "targets": [9]}, TargetError, "target 9: expected 0 to 3"),
        ({"node": "left", "targets": ["1:12,0"]}, TargetError, "'1:12,0': node 'left' has 4 chan"),
        ({"node": "left", "targets": ["1:2"]}, TargetError, "'1:2': node 'left' has 4 channels"),
        ({"node": "fc", "targets": ["1:2"]}, TargetError, "has 4 channels, and no positions"),
        ({"node": "left", "targets": ["1:2,2", "x"]}, TargetError, "'x': among units, expected"),
        ({"source": "nowhere"}, TargetError, "no node 'nowhere'"),
        ({"source": "left", "node": "right"}, TargetError, "'left' does not lead to node 'right'"),
        (
            {"source": "fc", "node": "left", "window": "unit"},
            TargetError,
            "'fc' does not lead to node 'left'",
        ),
        ({"source": "fc", "window": 1}, SettingError, "has 4 units and no positions: .*'unit'"),
        ({"source": "left", "window": "unit", "stride": 2}, SettingError, "every unit is hidden"),
    ],
)
def test_what_cannot_be_looked_at_is_said(branches, picture, settings, error, message):
    with pytest.raises(error, match=message):
        preddiff.explain(branches, picture, **{"sampler": "constant:0", **settings})


def test_nodes_behind_which_nothing_has_weights_are_classes(branches, picture):
    e = preddiff.explain(branches, picture, node="fc", targets=["owl"], **SETTINGS)
    assert (e.labels, e.unit) == (("owl",), "activation")


@needs_data
@pytest.mark.parametrize(
    ("node", "targets"),
    [
        ("conv1/7x7_s2", [0, 5]),
        ("conv1/relu_7x7", [0, "5:30,40"]),
        ("pool1/norm1", [0, 5]),
        ("inception_3a/output", [0, 5, "5:14,14"]),
        ("inception_5b/output", [0, "5:3,3"]),
        ("pool5/7x7_s1", [0, 5]),
        ("loss3/classifier", ["African elephant", 5]),
    ],
)
def test_googlenets_nodes_of_every_kind_are_as_in_whole_passes(googlenet, node, targets):
    picture = next((DATA / "images" / "imagenet").glob("*African_elephant.jpg"))
    settings = {"node": node, "targets": targets, "stride": 70, "samples": 2}
    e = both_engines(googlenet, picture, **settings)
    assert e.unit == "activation"
    assert np.abs(e.evidence).max() > 0


@needs_data
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"node": "inception_3a/outputs"}, "no node 'inception_3a/outputs'.*inception_3a/output"),
        ({"node": "inception_3a/output", "targets": [256]}, "target 256: expected 0 to 255"),
        (
            {"node": "inception_3a/output", "source": "inception_4c/output"},
            "'inception_4c/output' does not lead to node 'inception_3a/output'",
        ),
        (
            {"node": "inception_3a/3x3", "source": "inception_3a/1x1"},
            "'inception_3a/1x1' does not lead to node 'inception_3a/3x3'",
        ),
    ],
)
def test_what_googlenet_has_not_is_said(googlenet, settings, message):
    picture = np.zeros((3, 224, 224), dtype=np.float32)
    with pytest.raises(TargetError, match=message):
        preddiff.explain(googlenet, picture, **{"sampler": "constant:0", **settings})


@needs_data
def test_googlenet_from_a_hidden_node(googlenet, rng):
    picture = next((DATA / "images" / "imagenet").glob("*African_elephant.jpg"))
    pool = rng.random((4, 512, 14, 14), dtype=np.float32)
    settings = {"source": "inception_4c/output", "sampler": Marginal(pool), "samples": 4}
    e = both_engines(googlenet, picture, window=3, stride=4, **settings)
    assert e.labels == ("African elephant",)
    assert e.coverage.shape == (14, 14)
    node = "inception_5b/output"
    hidden = both_engines(
        googlenet, picture, window=3, stride=4, node=node, targets=[7], **settings
    )
    assert hidden.unit == "activation"


@pytest.fixture
def folder(tmp_path, rng):
    for n in range(6):
        pixels = rng.integers(0, 256, size=(12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
    return tmp_path


def test_samplers_of_hidden_values_come_from_a_folder_of_pictures(branches, picture, folder):
    branches = preddiff.load_model(branches.module, preprocess={})
    settings = {"source": "act", "window": 3, "stride": 3, "samples": 4, "engine": "dense"}
    for spec in (f"marginal:{folder}", f"conditional:{folder}"):
        e = preddiff.explain(branches, picture, sampler=spec, margin=1, **settings)
        assert np.isfinite(e.relevance).all()
        assert (e.evidence_error > 0).all()
    with pytest.raises(SamplerError, match="'conditional': of a hidden node, expected conditional"):
        preddiff.explain(branches, picture, **settings)
