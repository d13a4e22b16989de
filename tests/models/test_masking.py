"""Classifiers whose features are the voxels in a mask."""

import nibabel
import numpy as np
import pytest
from nilearn.maskers import NiftiLabelsMasker, NiftiMasker
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops import io as skops
from typer.testing import CliRunner

import preddiff
from preddiff import load_model
from preddiff.cli import app
from preddiff.errors import ModelError
from preddiff.models import Linear, masking
from scans import AFFINES

SHAPE = (7, 6, 5)  # x, y, z
SIGN = (5, 1, 3)  # where patients are brighter


def masker_of(mask, kind=NiftiMasker, smoothing=None):
    """A masker that is not fitted, with all that it would warn of stated."""
    return kind(mask, smoothing_fwhm=smoothing, standardize=None, reports=False)


class Study:
    """Scans on an affine, a mask, and a pipeline on the features that a masker makes of them."""

    def __init__(self, rng, affine, smoothing=None, last=None):
        values = rng.normal(100, 10, size=(40, *SHAPE)).astype(np.float32)
        values[(slice(1, None, 2), *SIGN)] += 40
        self.groups = np.where(np.arange(40) % 2, "patient", "control")
        self.images = [nibabel.Nifti1Image(each, affine) for each in values]
        chosen = rng.random(SHAPE) > 0.3
        chosen[SIGN] = True
        self.mask = nibabel.Nifti1Image(chosen.astype(np.uint8), affine)
        self.masker = masker_of(self.mask, smoothing=smoothing).fit()
        features = np.stack([self.masker.transform(each).ravel() for each in self.images])
        last = LogisticRegression() if last is None else last
        self.pipeline = make_pipeline(StandardScaler(), last).fit(features, self.groups)
        self.own = self.pipeline.predict_proba(features)


@pytest.mark.parametrize("affine", AFFINES)
@pytest.mark.parametrize("smoothing", [None, 5])
def test_a_masker_and_a_pipeline_say_of_scans_what_they_say_themselves(rng, affine, smoothing):
    study = Study(rng, AFFINES[affine], smoothing)
    model = load_model(study.pipeline, mask=study.masker)
    assert isinstance(model, Linear)
    e = preddiff.explain(model, study.images[1], "all", sampler="constant:100", window=1)
    np.testing.assert_allclose(e.prediction.values, study.own[1], atol=1e-3 if smoothing else 1e-5)
    peak = np.argwhere(e.relevance.values[1] == e.relevance.values[1].max())
    expected = nibabel.affines.apply_affine(AFFINES[affine], SIGN)
    np.testing.assert_allclose(e.grid.world(peak)[0], expected, atol=1e-4)


def test_smoothing_reaches_voxels_outside_of_the_mask(rng):
    study = Study(rng, AFFINES["oblique"], 5)
    outside = ~load_model(study.pipeline, mask=study.masker).masking.mask
    weights = [load_model(study.pipeline, mask=m).weights for m in (study.masker, study.mask)]
    assert np.abs(weights[0][0, outside]).max() > 0
    assert not weights[1][0, outside].any()


@pytest.mark.parametrize("smoothing", [None, 5])
def test_a_pipeline_that_is_not_linear_gets_a_masker_s_features(rng, smoothing):
    study = Study(rng, AFFINES["LAS"], smoothing, RandomForestClassifier(20, random_state=0))
    model = load_model(study.pipeline, mask=study.masker)
    scans = np.stack([each.get_fdata(dtype=np.float32).T[None] for each in study.images])
    np.testing.assert_allclose(model.predict(scans), study.own)
    sampling = {"sampler": "constant:100", "window": 3, "stride": 2}
    e = preddiff.explain(model, study.images[1], "all", **sampling)
    np.testing.assert_allclose(e.prediction.values, study.own[1])


@pytest.mark.parametrize("as_file", [False, True])
def test_a_mask_may_be_an_image_or_its_path(rng, tmp_path, as_file):
    study = Study(rng, AFFINES["PIR"])
    study.mask.to_filename(tmp_path / "brain.nii.gz")
    mask = tmp_path / "brain.nii.gz" if as_file else study.mask
    scans = np.stack([each.get_fdata(dtype=np.float32).T[None] for each in study.images])
    model = load_model(study.pipeline, mask=mask)
    np.testing.assert_allclose(model.predict(scans), study.own, atol=1e-5)
    turned = load_model(study.pipeline, mask=mask, order="zyx")
    assert np.abs(turned.predict(scans) - study.own).max() > 0.01


@pytest.mark.parametrize("searched", [False, True])
def test_a_masker_may_be_the_first_step(rng, searched):
    study = Study(rng, AFFINES["RAS"])
    pipeline = make_pipeline(study.masker, LogisticRegression())
    if searched:
        pipeline = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1]}, cv=2)
    pipeline.fit(study.images, study.groups)
    e = preddiff.explain(pipeline, study.images[1], "all", sampler="constant:100")
    own = pipeline.predict_proba([study.images[1]])[0]
    np.testing.assert_allclose(e.prediction.values, own, atol=1e-5)
    with pytest.raises(ModelError, match="has a NiftiMasker of its own; leave it out"):
        load_model(pipeline, mask=study.mask)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("standardize", "zscore_sample"), ("detrend", True), ("high_pass", 0.01)],
)
def test_what_a_masker_computes_over_scans_is_refused(rng, setting, value):
    study = Study(rng, AFFINES["RAS"])
    setattr(study.masker, setting, value)
    with pytest.raises(ModelError, match=rf"NiftiMasker\({setting}={value!r}\) computes over"):
        load_model(study.pipeline, mask=study.masker)


def test_a_masker_that_does_something_unknown_is_refused_when_it_is_asked(rng):
    class Doubling(NiftiMasker):
        def transform(self, *args, **kwargs):
            return 2 * super().transform(*args, **kwargs)

    study = Study(rng, AFFINES["RAS"])
    model = load_model(study.pipeline, mask=masker_of(study.mask, Doubling).fit())
    with pytest.raises(ModelError, match="Doubling gives other features than the voxels of its"):
        preddiff.explain(model, study.images[1], sampler="constant:100")


def test_masks_that_do_not_fit(rng, tmp_path):
    study = Study(rng, AFFINES["RAS"])
    study.masker.smoothing_fwhm = "fast"
    whole = nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINES["RAS"])
    for mask, message in [
        (study.masker, r"smoothing_fwhm='fast'\): expected millimetres"),
        (NiftiMasker(study.mask), "NiftiMasker is not fitted: call .fit"),
        (NiftiLabelsMasker(study.mask), "expected a NiftiMasker, whose features are single voxels"),
        (np.ones(SHAPE), "mask ndarray: expected a NiftiMasker of nilearn, or a mask on the"),
        (tmp_path / "mask.png", "mask.png: expected a NiftiMasker of nilearn, or a mask on the"),
        (tmp_path / "none.nii", "none.nii: no such file"),
        (whole, r"the mask has 210 voxels, Pipeline .* features: expected as many"),
    ]:
        with pytest.raises(ModelError, match=message):
            load_model(study.pipeline, mask=mask)
    with pytest.raises(ModelError, match="order='zyx': NiftiMasker takes voxels in the order xyz"):
        masking.opened(masker_of(study.mask).fit(), "zyx")
    for model in ("embedded", load_model(study.pipeline, mask=study.mask)):
        with pytest.raises(ModelError, match="mask: .*; leave it out"):
            load_model(model, mask=study.mask)


@pytest.mark.parametrize("last", [LogisticRegression(), RandomForestClassifier(5)])
def test_a_pipeline_without_its_mask_is_told_of_it(rng, last):
    study = Study(rng, AFFINES["RAS"], last=last)
    with pytest.raises(ModelError, match=r"features, the scan 210 voxels.*mask=FILE\) \(--model-m"):
        preddiff.explain(study.pipeline, study.images[0], sampler="constant:0")


def test_from_the_command_line(rng, tmp_path, monkeypatch):
    study = Study(rng, AFFINES["LAS"])
    skops.dump(study.pipeline, tmp_path / "mine.skops")
    study.mask.to_filename(tmp_path / "brain.nii.gz")
    study.images[1].to_filename(tmp_path / "scan.nii.gz")
    options = ["--model", "mine.skops", "--model-mask", "brain.nii.gz", "--sampler", "constant:100"]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["explain", "scan.nii.gz", *options])
    assert done.exit_code == 0, done.output
    e = preddiff.load(tmp_path / "out" / "scan.zarr")
    np.testing.assert_allclose(e.prediction.values, study.own[1, 1], atol=1e-5)
