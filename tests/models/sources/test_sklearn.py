"""scikit-learn classifiers as models."""

import nibabel
import numpy as np
import pytest
from skops import io as skops

import preddiff
from preddiff import load_model
from preddiff.errors import ModelError
from preddiff.models import Linear
from preddiff.models.sources.sklearn import Folded
from scans import AFFINES


def test_scikit_learn_classifiers_that_do_not_fit():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ModelError, match="LogisticRegression is not fitted: call .fit"):
        load_model(LogisticRegression())
    fitted = LogisticRegression().fit(np.eye(4), [0, 0, 1, 1])
    with pytest.raises(ModelError, match="flattened to 9 features"):
        load_model(fitted).predict(np.zeros((1, 1, 3, 3), dtype=np.float32))


def test_a_scikit_learn_classifier(rng):
    from sklearn.linear_model import LogisticRegression

    x = rng.normal(size=(60, 1, 4, 4)).astype(np.float32)
    estimator = LogisticRegression().fit(x.reshape(60, -1), np.where(x[:, 0, 0, 0] > 0, "a", "b"))
    model = load_model(estimator)
    expected = estimator.predict_proba(x.reshape(60, -1).astype(np.float64))
    np.testing.assert_allclose(model.predict(x), expected)
    assert model.labels == ["a", "b"]


SHAPE = (5, 4, 3)  # x, y, z


@pytest.fixture(params=["linear", "forest"])
def of_scans(request, rng):
    """An estimator fitted on volumes as nibabel gives them, and one of these volumes."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    volumes = rng.normal(size=(80, *SHAPE)).astype(np.float32)
    groups = (volumes[:, 4, 0, 1] > 0).astype(int)
    volumes[:, 4, 0, 1] *= 3
    kind = LogisticRegression(C=10) if request.param == "linear" else RandomForestClassifier(200)
    return kind.fit(volumes.reshape(80, -1), groups), volumes[np.argmax(volumes[:, 4, 0, 1])]


@pytest.mark.parametrize("affine", AFFINES)
def test_an_estimator_says_of_a_scan_what_it_says_itself(of_scans, affine):
    estimator, volume = of_scans
    scan = nibabel.Nifti1Image(volume, AFFINES[affine])
    model = load_model(estimator, order="xyz")
    e = preddiff.explain(model, scan, "all", sampler="constant:0", window=1)
    own = estimator.predict_proba(volume.reshape(1, -1).astype(np.float64))[0]
    np.testing.assert_allclose(e.prediction.values, own, atol=1e-6)
    peak = np.argwhere(e.relevance.values[1] == np.nanmax(e.relevance.values[1]))
    expected = nibabel.affines.apply_affine(scan.affine, (4, 0, 1))
    np.testing.assert_allclose(e.grid.world(peak)[0], expected, atol=1e-4)
    turned = load_model(estimator, order="zyx").predict(volume.T[None, None])
    assert np.abs(turned - own).max() > 0.01


def test_an_estimator_without_a_grid_is_refused_for_a_scan(of_scans, tmp_path):
    estimator, volume = of_scans
    scan = nibabel.Nifti1Image(volume, AFFINES["RAS"])
    with pytest.raises(ModelError, match=r"order of .*load_model\(model, order='xyz'\)"):
        preddiff.explain(estimator, scan, sampler="constant:0", window=1)
    if not hasattr(estimator, "coef_"):
        return  # skops does not trust trees
    skops.dump(estimator, tmp_path / "a.skops")
    with pytest.raises(ModelError, match=r"a.skops .*order of .*--order xyz"):
        preddiff.explain(tmp_path / "a.skops", scan, sampler="constant:0", window=1)
    stated = load_model(tmp_path / "a.skops", order="xyz")
    preddiff.explain(stated, scan, sampler="constant:0", window=1)


def test_flat_weights_say_nothing_of_a_scan(rng):
    scan = nibabel.Nifti1Image(rng.normal(size=SHAPE).astype(np.float32), AFFINES["RAS"])
    with pytest.raises(ModelError, match=r"flat weights.*expected weights of shape \(1, 3, 4, 5\)"):
        preddiff.explain(Linear(rng.normal(size=60)), scan, sampler="constant:0", window=1)
    stated = Linear(rng.normal(size=60), order="zyx")
    preddiff.explain(stated, scan, sampler="constant:0", window=1)


def test_an_estimator_that_says_something_else_than_its_weights_is_an_error(rng):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    x = rng.normal(size=(60, 16))
    # Clipping shows only far outside of what the scaler was fitted on.
    clipping = make_pipeline(MinMaxScaler(clip=True), LogisticRegression()).fit(x, x[:, 0] > 0)
    weights = np.atleast_2d(clipping[-1].coef_ * clipping[0].scale_)
    model = Folded(
        clipping, weights, clipping[-1].intercept_ + clipping[-1].coef_ @ clipping[0].min_
    )
    inside = rng.uniform(-0.3, 0.3, size=(1, 4, 4)).astype(np.float32)
    model.check(inside, is_scan=False)
    with pytest.raises(ModelError, match=r"itself gives the probabilities .*, its weights "):
        model.check(100 * inside, is_scan=False)


@pytest.mark.parametrize(
    ("source", "order", "message"),
    [
        ("embedded", "xyz", "embedded is no scikit-learn estimator"),
        (np.tanh, "zyx", "is no scikit-learn estimator of a flattened volume; leave it out"),
        (np.tanh, "yxz", "order='yxz': expected one of xyz, zyx"),
    ],
)
def test_orders_that_make_no_sense(source, order, message):
    with pytest.raises(ModelError, match=message):
        load_model(source, order=order)


def test_pictures_have_no_order_xyz(rng):
    from sklearn.linear_model import LogisticRegression

    model = load_model(LogisticRegression().fit(np.eye(4), [0, 0, 1, 1]), order="xyz")
    with pytest.raises(ModelError, match=r"is of volumes \(1, z, y, x\)"):
        model.predict(np.zeros((1, 1, 2, 2), np.float32))
