"""Explanations by sets of regions, through the front door."""

import math

import numpy as np
import pytest
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError, SettingError
from preddiff.models import Linear
from preddiff.results import store

SHAPE = (3, 16, 16)
LABELS = np.zeros((16, 16), dtype=int)
LABELS[:, :3] = 20
LABELS[2:9, 5:12] = 4
LABELS[4:7, 7:10] = 7  # inside of region 4
LABELS[12:, 12:] = 11
ASKED = {
    "sampler": "constant:0.5", "regions": LABELS, "sets": 300, "targets": 1,
    "train_size": math.inf,
}  # fmt: skip


@pytest.fixture
def picture(rng):
    return rng.random(SHAPE).astype(np.float32)


def logistic(inputs):
    """Log-odds that are a sum over pixels."""
    weights = np.random.default_rng(1).normal(size=SHAPE) / 20
    p = 1 / (1 + np.exp(-(inputs.astype(np.float64) * weights).sum(axis=(1, 2, 3))))
    return np.stack([1 - p, p], axis=1)


def test_evidence_that_adds_up_is_that_of_each_region(picture):
    e = preddiff.explain(logistic, picture, **ASKED)
    weights = np.random.default_rng(1).normal(size=SHAPE) / 20
    lost = (weights * (picture - 0.5)).sum(axis=0) / math.log(2)
    assert e.evidence["region"].values.tolist() == [4, 7, 11, 20]
    for number, evidence in zip((4, 7, 11, 20), e.evidence.values[0], strict=True):
        inside = number == LABELS
        assert evidence == pytest.approx(lost[inside].sum(), abs=1e-6)
        np.testing.assert_array_equal(e.relevance.values[0][inside], evidence)
        np.testing.assert_array_equal(e.coverage.values[inside], 1)
    assert np.isnan(e.relevance.values[0][LABELS == 0]).all()
    np.testing.assert_array_equal(e.regions, LABELS)
    assert e.provenance["regions"] == 4
    assert "4 regions, 300 random sets of regions" in repr(e)


def test_two_parts_that_stand_in_for_each_other_get_their_share(picture):
    def either(inputs):
        seen = [inputs[:, 0, *np.nonzero(n == LABELS)].mean(axis=1) > 0.6 for n in (7, 11)]
        p = np.where(seen[0] | seen[1], 0.9, 0.1)
        return np.stack([1 - p, p], axis=1)

    e = preddiff.explain(either, np.maximum(picture, 0.7), **{**ASKED, "sets": 900})
    expected = np.array([0, 0.3, 0.3, 0]) * math.log2(81)  # 0.3 is the mean of the rates
    off = np.abs(e.evidence.values[0] - expected)
    assert (off < 4 * e.evidence_error.values[0] + 1e-6).all()
    assert (e.evidence.values[0][1:3] > 0.2 * math.log2(81)).all()


@pytest.mark.parametrize("sampler", ["conditional", "blurred", "constant:0.5"])
def test_superpixels_by_every_sampler(picture, sampler):
    asked = {**ASKED, "sampler": sampler, "regions": 6, "sets": 90, "window": 4}
    one, two = (preddiff.explain(Softmax(SHAPE), picture, **asked) for _ in range(2))
    np.testing.assert_array_equal(one.relevance, two.relevance)
    assert np.isfinite(one.relevance).all()
    assert np.isfinite(one.standard_error).all()
    assert 1 <= one.provenance["regions"] <= 12


def test_results_pages_and_figures_of_regions(picture, tmp_path):
    e = preddiff.explain(Softmax(SHAPE), picture, **ASKED)
    store.save(e, tmp_path / "a.zarr")
    again = preddiff.load(tmp_path / "a.zarr")
    np.testing.assert_array_equal(again.regions, LABELS)
    np.testing.assert_array_equal(again.evidence["region"], [4, 7, 11, 20])
    page = preddiff.page(again, tmp_path / "a.html").read_text()
    assert "one of 300 random sets of regions (4 in all)" in page
    assert "4 regions, 300 random sets" in page
    preddiff.figure(again)
    windows = preddiff.explain(Softmax(SHAPE), picture, window=4, stride=4, sampler="constant:0")
    preddiff.page([again, windows], tmp_path / "b.html")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("regions", None, "region_number is there without regions"),
        ("region_number", None, "regions is there without region_number"),
        ("regions", (("y", "x"), np.zeros((16, 16))), "regions is no array of whole numbers"),
        ("region_number", (("axis",), np.zeros(2, int)), r"numbers with \(window\)"),
    ],
)
def test_damaged_regions_are_refused(picture, tmp_path, name, value, message):
    e = preddiff.explain(Softmax(SHAPE), picture, **{**ASKED, "sets": 90})
    data = e.data.drop_vars(name)
    store.save(
        preddiff.Explanation(data if value is None else data.assign({name: value})),
        tmp_path / "a.zarr",
    )
    with pytest.raises(ResultError, match=message):
        preddiff.load(tmp_path / "a.zarr")


def test_unfinished_work_of_other_regions_is_refused(picture, tmp_path, monkeypatch):
    from preddiff.results import checkpoint

    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)

    def stop(done, of):
        if done >= 90:
            raise KeyboardInterrupt

    file = tmp_path / "work.npz"
    with pytest.raises(KeyboardInterrupt):
        preddiff.explain(Softmax(SHAPE), picture, progress=stop, checkpoint=file, **ASKED)
    # The same boxes around regions of another shape.
    other = LABELS.copy()
    other[3, 6] = 0
    with pytest.raises(ResultError, match="unfinished work, but not of what is asked for now"):
        preddiff.explain(Softmax(SHAPE), picture, checkpoint=file, **{**ASKED, "regions": other})
    counts = []
    resumed = preddiff.explain(
        Softmax(SHAPE), picture, progress=lambda done, _of: counts.append(done), checkpoint=file,
        **ASKED,
    )  # fmt: skip
    assert counts[0] == 100
    np.testing.assert_array_equal(
        resumed.relevance, preddiff.explain(Softmax(SHAPE), picture, **ASKED).relevance
    )


def test_an_atlas_of_a_scan_with_a_mask(rng, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    scan = rng.random((6, 7, 8)).astype(np.float32)
    atlas = np.zeros((6, 7, 8), dtype=np.int16)
    atlas[:3], atlas[3:, :, 4:] = 40, 11
    for name, values in (("scan", scan), ("atlas", atlas)):
        nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), tmp_path / f"{name}.nii")
    mask = np.ones((8, 7, 6), dtype=bool)
    mask[:, :2] = False
    e = preddiff.explain(
        Linear(rng.normal(size=(1, 8, 7, 6))), tmp_path / "scan.nii", 1, sampler="constant:0",
        regions=tmp_path / "atlas.nii", sets=90, mask=mask,
    )  # fmt: skip
    np.testing.assert_array_equal(e.regions, np.where(mask, atlas.T, 0))
    assert np.isfinite(e.relevance.values[0][(atlas.T > 0) & mask]).all()
    preddiff.figure(e)
    preddiff.page(e, tmp_path / "a.html")
    preddiff.export(e, tmp_path / "a.nii.gz")


def test_regions_of_a_node(small_network, picture):
    e = preddiff.explain(
        small_network, picture, source="1", regions=(2, 2), sets=90, sampler="constant:0", targets=0
    )
    assert np.isfinite(e.relevance).all()
    assert e.provenance["regions"] == 4


def test_what_regions_do_not_go_with_is_refused(picture):
    with pytest.raises(SettingError, match="regions: are hidden in random sets; say of how many"):
        preddiff.explain(logistic, picture, regions=LABELS)
    with pytest.raises(SettingError, match="stride=2: regions are hidden, not windows"):
        preddiff.explain(logistic, picture, regions=LABELS, sets=90, stride=2)
    with pytest.raises(SettingError, match="window='unit': regions are hidden, not windows"):
        preddiff.explain(logistic, picture, regions=4, sets=90, window="unit", source="1")


def test_the_command_line(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from command_line import FACTORY
    from preddiff import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tiny_model.py").write_text(FACTORY)
    drawn = np.zeros((30, 30), dtype=np.uint8)
    drawn[:15], drawn[15:] = 3, 9
    Image.fromarray(drawn).save("labels.png")
    Image.new("RGB", (30, 30), "teal").save("cat.jpg")
    words = ["explain", "cat.jpg", "--model", "tiny_model:make", "--sets", "90", "--sampler",
             "constant:0.1", "--regions", "labels.png"]  # fmt: skip
    assert CliRunner().invoke(cli.app, words).exception is None
    assert preddiff.load("out/cat.zarr").evidence["region"].values.tolist() == [3, 9]
    done = CliRunner().invoke(cli.app, [*words[:-1], "out/cat.png"])
    assert "the results would overwrite the regions" in str(done.exception)
