"""Windows with a length for each axis, in pixels or millimetres, and of a coarse stride."""

import itertools

import nibabel
import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SamplerError, SettingError
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian, Constant

PICTURE = np.random.default_rng(3).random((3, 13, 16)).astype(np.float32)
VOLUME = np.random.default_rng(4).random((1, 6, 7, 8)).astype(np.float32)
AFFINE = np.diag([1.0, 2.0, 6.0, 1.0])  # millimetres along x, y and z


def starts(length, size, stride):
    return sorted({*range(0, length - size + 1, stride), length - size})


def by_hand(model, inputs, sizes, strides, value=0.5):
    """Evidence of each window for class 0 as a difference of probabilities, and the map."""
    shape = inputs.shape[1:]
    whole, evidence, boxes = model(inputs[None])[0, 0], [], []
    axes = [starts(*each) for each in zip(shape, sizes, strides, strict=True)]
    for corner in itertools.product(*axes):
        box = (slice(None), *(slice(a, a + k) for a, k in zip(corner, sizes, strict=True)))
        hidden = inputs.copy()
        hidden[box] = value
        boxes.append(box)
        evidence.append(whole - model(hidden[None])[0, 0])
    total, count = np.zeros((1, *shape)), np.zeros((1, *shape))
    for box, each in zip(boxes, evidence, strict=True):
        total[(slice(None), *box[1:])] += each
        count[(slice(None), *box[1:])] += 1
    assert (count > 0).all()
    return np.array(evidence), (total / count)[0]


@pytest.mark.parametrize(
    ("inputs", "said", "sizes", "strides"),
    [
        (PICTURE, {"window": "3x5"}, (3, 5), (1, 1)),
        (PICTURE, {"window": "3×5", "stride": "2x4"}, (3, 5), (2, 4)),
        (PICTURE, {"window": ((3, 5),), "stride": (3, 5)}, (3, 5), (3, 5)),
        (PICTURE, {"window": 5, "stride": 3}, (5, 5), (3, 3)),
        (VOLUME, {"window": "1x3x4", "stride": "1x2x3"}, (1, 3, 4), (1, 2, 3)),
    ],
)
def test_every_window_is_that_of_a_loop(inputs, said, sizes, strides):
    model = Softmax(inputs.shape)
    e = preddiff.explain(model, inputs, 0, sampler=Constant(0.5), measure="DP", **said)
    evidence, relevance = by_hand(model, inputs, sizes, strides)
    np.testing.assert_allclose(e.evidence.values[0], evidence, atol=1e-6)
    np.testing.assert_allclose(e.relevance.values[0], relevance, atol=1e-6)
    assert (e.window_sizes == sizes).all()


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(VOLUME[0].T, AFFINE), path)
    return path


@pytest.mark.parametrize(
    ("said", "sizes"),
    [("6mm", (1, 3, 6)), ("4 mm", (1, 2, 4)), ("12x4x3mm", (2, 2, 3)), ("0.1mm", (1, 1, 1))],
)
def test_millimetres_are_rounded_to_voxels_along_each_axis(said, sizes, scan):
    model = Softmax(VOLUME.shape)
    named = {"sampler": Constant(0.5), "measure": "DP", "stride": "6x2x1mm"}
    e = preddiff.explain(model, scan, 0, window=said, **named)
    evidence, _ = by_hand(model, VOLUME, sizes, (1, 1, 1))
    np.testing.assert_allclose(e.evidence.values[0], evidence, atol=1e-6)
    text = "1" if sizes == (1, 1, 1) else "x".join(map(str, sizes))
    assert str(e.provenance["window"]) == text
    assert (e.provenance["window_said"], e.provenance["stride_said"]) == (said, "6x2x1mm")


def test_boxes_are_as_exact_as_whole_passes(small_network):
    inputs = np.random.default_rng(1).random((3, 16, 16)).astype(np.float32)
    named = {"window": "3x6", "stride": "2x5", "samples": 3, "targets": [1]}
    boxes = preddiff.explain(small_network, inputs, engine="incremental", **named)
    whole = preddiff.explain(small_network, inputs, engine="dense", **named)
    np.testing.assert_allclose(boxes.evidence, whole.evidence, atol=1e-4)
    assert boxes.provenance["engine"] == "incremental"


def test_the_closed_form_is_what_many_draws_come_to(rng):
    volumes = [rng.normal(size=(1, 7, 8, 9)) for _ in range(40)]
    model = Linear(rng.normal(size=(1, 7, 8, 9)) / 5, 0.3)
    sampler = ConditionalGaussian.fit(volumes, patch=5, clip=False).central((3, 5, 4))
    named = {"sampler": sampler, "window": "1x3x2", "stride": "3x3x4"}
    exact = preddiff.explain(model, volumes[0], 1, **named)
    drawn = preddiff.explain(model, volumes[0], 1, samples=4000, engine="dense", **named)
    assert exact.exactness
    off = np.abs(exact.evidence - drawn.evidence).values
    assert (off < 5 * drawn.evidence_error.values + 1e-6).mean() > 0.95


@pytest.mark.parametrize("window", ["3x6", "1x36"])
def test_the_embedded_statistics_serve_windows_of_any_shape(window, rng):
    """Cut to the window and its margin, whether from the matrix or, of large ones, the field."""
    picture = rng.random((3, 20, 40))
    model = Softmax(picture.shape)
    named = {"stride": 9, "samples": 2, "margin": 2}
    e = preddiff.explain(model, picture, 0, window=window, **named)
    height, width = map(int, window.split("x"))
    sampler = (
        ConditionalGaussian.natural(max(height, width) + 4)
        if width < 28
        else preddiff.samplers.StationaryGaussian.natural(width + 4)
    ).central((height + 4, width + 4))
    own = preddiff.explain(model, picture, 0, window=window, sampler=sampler, **named)
    np.testing.assert_array_equal(e.evidence, own.evidence)


def test_results_keep_the_lengths_of_each_axis(tmp_path):
    named = {"sampler": "constant:0.5", "stride": 4, "targets": [0]}
    both = preddiff.explain(Softmax(PICTURE.shape), PICTURE, window=(4, "3x5"), **named)
    preddiff.save(both, tmp_path / "both.zarr")
    again = preddiff.load(tmp_path / "both.zarr")
    assert again.provenance["window"] == "4, 3x5"
    sizes, counts = np.unique(again.window_sizes, axis=0, return_counts=True)
    assert sizes.tolist() == [[3, 5], [4, 4]]
    assert counts.tolist() == [4 * 4, 4 * 4]
    page = preddiff.page(again, tmp_path / "page.html").read_text()
    assert "4 or 3×5 pixels" in page


def test_wrong_lengths_are_said_in_one_line(scan):
    def explain(inputs=PICTURE, **named):
        shape = VOLUME.shape if inputs is scan else inputs.shape
        preddiff.explain(Softmax(shape), inputs, 0, **{"sampler": "constant:0.5"} | named)

    for named, message in [
        ({"window": "3x5x5"}, r"window=\(3, 5, 5\) has 3 lengths, but the input has 2 dim"),
        ({"window": (3, 3)}, "one window with a length for each axis is text, e.g. '3x5x5'"),
        ({"window": "0x3"}, "window=0: expected a whole number of at least 1"),
        ({"window": "14x3"}, "window 14×3 does not fit into an input of 13×16"),
        ({"window": "0mm"}, "window='0mm': expected more than 0 mm"),
        ({"window": "6mm"}, "window='6mm': the input has no voxels whose size is known"),
        ({"window": 3, "stride": "6mm"}, "stride='6mm': the input has no voxels whose size"),
        ({"window": 3, "stride": "channel"}, "stride='channel': expected a whole number, one for"),
        ({"window": 3, "stride": "2;3"}, "stride='2;3': expected a whole number, one for each"),
        ({"inputs": scan, "window": "6x6mm"}, "has 2 lengths, but the scan has 3 axes"),
    ]:
        with pytest.raises(SettingError, match=message) as caught:
            explain(**named)
        assert "\n" not in str(caught.value)


def test_a_sampler_that_was_fitted_on_smaller_patches_says_so(rng, tmp_path):
    fitted = ConditionalGaussian.fit([rng.random((1, 12, 12)) for _ in range(9)], patch=5)
    fitted.save(tmp_path / "fitted.npz")
    picture = rng.random((1, 12, 12))
    named = {"sampler": f"conditional:{tmp_path / 'fitted.npz'}", "margin": 1}
    preddiff.explain(Softmax(picture.shape), picture, 0, window="1x3", samples=1, **named)
    with pytest.raises(SamplerError, match=r"needs patches of 3×6, .* on patches of 5×5"):
        preddiff.explain(Softmax(picture.shape), picture, 0, window="1x4", **named)


def test_what_millimetres_come_to_is_printed(scan, capsys):
    named = {"sampler": Constant(0.5), "window": "6mm", "stride": "4mm", "progress": True}
    preddiff.explain(Softmax(VOLUME.shape), scan, 0, **named)
    assert "window 6mm: 1x3x6 voxels; stride 4mm: 1x2x4 voxels" in capsys.readouterr().err
