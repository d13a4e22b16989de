"""One explanation of windows of several sizes."""

import numpy as np
import pytest
import xarray as xr

import preddiff
from conftest import Softmax
from preddiff.results.combination import combined
from preddiff.results.content import content_sha256
from preddiff.samplers import Constant
from preddiff.viewer import captions

PICTURE = np.random.default_rng(3).random((3, 15, 16)).astype(np.float32)
MODEL = Softmax(PICTURE.shape)


def of(window, **further):
    settings = {"sampler": Constant(0.5), "targets": [0, 1], "samples": 4, "stride": 3, **further}
    return preddiff.explain(MODEL, PICTURE, window=window, **settings)


def test_the_map_is_the_mean_of_the_sizes_maps():
    drawn = {"sampler": "conditional", "margin": 1, "stride": 1}
    small, large = of(3, **drawn), of(6, seed=9, **drawn)
    both = combined([small, large])
    for name, error in (("relevance", "standard_error"), ("importance", "importance_error")):
        mean = (small.data[name] + large.data[name]) / 2
        xr.testing.assert_allclose(both.data[name].drop_attrs(), mean.drop_attrs(), rtol=1e-12)
        spread = np.sqrt(small.data[error] ** 2 + large.data[error] ** 2) / 2
        xr.testing.assert_allclose(both.data[error].drop_attrs(), spread.drop_attrs(), rtol=1e-12)
        assert both.data[name].attrs == small.data[name].attrs
    assert (both.coverage == small.coverage + large.coverage).all()
    for name in ("evidence", "evidence_error"):
        sizes = [each.data[name].values for each in (small, large)]
        np.testing.assert_array_equal(both.data[name].values, np.concatenate(sizes, axis=1))
    assert both.window_sizes.tolist() == [[3, 3]] * (13 * 14) + [[6, 6]] * (10 * 11)
    facts = both.provenance
    assert (facts["window"], facts["seed"], facts["samples"]) == ("3, 6", 0, 4)
    for name in ("windows", "evaluations"):
        assert facts[name] == small.provenance[name] + large.provenance[name]
    assert (
        max(small.provenance["relative_error"], large.provenance["relative_error"])
        > (facts["relative_error"])
    )


def test_one_size_is_left_as_it_is():
    one = of(3)
    assert combined([one]) is one


def test_a_pixel_has_the_mean_of_the_sizes_that_cover_it():
    small, large = of(3, stride=6), of(5, stride=10)
    both = combined([small, large])
    alone = (large.coverage == 0) & (small.coverage > 0)
    assert alone.any()
    xr.testing.assert_equal(both.relevance.where(alone), small.relevance.where(alone))
    assert np.isnan(both.relevance.where(both.coverage == 0)).all()
    assert np.isfinite(both.relevance.where(both.coverage > 0, 0)).all()


def test_other_methods_are_those_of_each_size():
    parts = [of(k, baselines=["occlusion"]) for k in (3, 6)]
    mean = sum(each.baselines["occlusion"] for each in parts) / 2
    np.testing.assert_allclose(combined(parts).baselines["occlusion"], mean, rtol=1e-12)


def test_sets_are_counted_together():
    both = combined([of(k, sets=300, samples=None, stride=None) for k in (3, 5)])
    assert (both.provenance["sets"], both.provenance["stride"]) == (600, "3, 5")


def test_it_is_saved_and_shown(tmp_path):
    e = combined([of(3), of(6)])
    preddiff.save(e, tmp_path / "e.zarr")
    back = preddiff.load(tmp_path / "e.zarr")
    told = {"preddiff_format": 1, "content_sha256": content_sha256(e.data)}
    xr.testing.assert_identical(back.data, e.data.assign_attrs(told))
    text = preddiff.page(e, tmp_path / "e.html").read_text()
    assert "one\nwindow of 3 or 6 pixels replaced by" in text
    assert "that cover it, averaged over the sizes." in text
    assert captions.caption_fields([of(3)])["explanations"][0]["windows"]["one"] == "3×3 window"
    preddiff.figure(e).savefig(tmp_path / "e.png")


def test_lengths_that_are_none_are_refused(tmp_path):
    data = combined([of(3), of(6)]).data.assign(window_length=("axis", [3, 6]))
    preddiff.save(preddiff.Explanation(data), tmp_path / "e.zarr")
    with pytest.raises(preddiff.PreddiffError, match="window_length holds no length for each"):
        preddiff.load(tmp_path / "e.zarr")
