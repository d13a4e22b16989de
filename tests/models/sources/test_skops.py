"""Files of skops: what they may hold, and what is refused."""

import nibabel
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops import io

import preddiff
from preddiff.errors import InputError, InputWarning, ModelError
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.models.sources import skops
from scans import OBLIQUE


@pytest.fixture
def classifier(tmp_path, rng):
    """A file with a classifier of scans, and its estimator and mask."""
    mask = rng.random((3, 4, 5)) < 0.5
    x = rng.normal(size=(30, int(mask.sum())))
    estimator = LogisticRegression().fit(x, np.where(x[:, 0] > 0, "patient", "healthy"))
    grid = Grid((3, 4, 5), nibabel.affines.from_matvec(np.eye(3) * 2, [1, 2, 3]), {"pixdim": [1.0]})
    skops.save(tmp_path / "a.skops", estimator, mask, grid, {"subjects": 30, "accuracy": 0.9})
    return tmp_path / "a.skops", estimator, mask


def test_a_classifier_of_scans_knows_its_grid(rng, classifier):
    path, estimator, mask = classifier
    model = preddiff.load_model(str(path))
    assert isinstance(model, Linear)
    scans = rng.normal(size=(6, 1, *mask.shape)).astype(np.float32)
    expected = estimator.predict_proba(scans[:, 0, mask].astype(np.float64))
    np.testing.assert_allclose(model.predict(scans), expected, atol=1e-12)
    assert model.labels == ["healthy", "patient"]
    assert model.train_size == 30
    assert model.shape == (1, 3, 4, 5)
    assert model.spec == "a.skops"
    assert model.grid.voxel_size == (2, 2, 2)
    assert model.grid.header == {"pixdim": [1.0]}
    assert skops.facts(path) == {"subjects": 30, "accuracy": 0.9}


def test_any_estimator_of_scikit_learn_is_a_model(tmp_path, rng):
    x = rng.normal(size=(30, 12))
    io.dump(LogisticRegression().fit(x, x[:, 0] > 0), tmp_path / "b.skops")
    model = preddiff.load_model(tmp_path / "b.skops")
    assert model.predict(np.zeros((2, 1, 3, 4), np.float32)).shape == (2, 2)
    with pytest.raises(ModelError, match="not a classifier of scans; make one with preddiff"):
        skops.facts(tmp_path / "b.skops")


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e308])
def test_a_damaged_estimator_is_one_line(tmp_path, rng, value):
    x = rng.normal(size=(30, 12))
    estimator = LogisticRegression().fit(x, x[:, 0] > 0)
    estimator.coef_[0, 3] = value
    io.dump(estimator, tmp_path / "b.skops")
    with pytest.raises(ModelError, match=r"b.skops: its estimator is damaged \(ValueError"):
        preddiff.load_model(tmp_path / "b.skops")


def test_what_could_run_code_is_refused(tmp_path):
    io.dump(FunctionTransformer(print), tmp_path / "b.skops")
    with pytest.raises(ModelError, match=r"holds .*print, which could run code"):
        preddiff.load_model(tmp_path / "b.skops")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such model file"),
        (b"hello", "not a complete .skops file"),
        (StandardScaler(), "holds a StandardScaler, expected a classifier"),
        ({"preddiff_classifier": 2}, "of a newer version; upgrade"),
    ],
)
def test_files_that_are_no_model(tmp_path, content, message):
    path = tmp_path / "b.skops"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        io.dump(content, path)
    with pytest.raises(ModelError, match=message):
        preddiff.load_model(path)


def test_a_file_that_is_cut_off(classifier):
    path = classifier[0]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="not a complete .skops file"):
        preddiff.load_model(path)


@pytest.mark.parametrize("axes", [[[0, -1], [1, 1], [2, 1]], [[0, -1], [1, -1], [2, 1]],
                                  [[2, 1], [0, -1], [1, 1]]])  # fmt: skip
def test_a_classifier_sees_a_scan_where_it_lies_however_it_is_stored(tmp_path, rng, axes):
    mask = rng.random((3, 4, 5)) < 0.7
    mask[1, 0, 4] = True
    grid = Grid((3, 4, 5), OBLIQUE)
    values = rng.normal(size=(80, *mask.shape)).astype(np.float32)
    groups = values[:, 1, 0, 4] > 0
    estimator = LogisticRegression(C=10).fit(values[:, mask], groups)
    skops.save(tmp_path / "a.skops", estimator, mask, grid, {"subjects": 80})
    chosen = values[np.argmax(values[:, 1, 0, 4])]
    stored = nibabel.Nifti1Image(chosen.T, OBLIQUE).as_reoriented(axes)
    settings = {"sampler": "constant:0", "window": 1}
    with pytest.raises(InputError, match="expected the model's 5×4×3"):
        preddiff.explain(tmp_path / "a.skops", stored, "all", **settings)
    e = preddiff.explain(tmp_path / "a.skops", stored, "all", resample=True, **settings)
    own = estimator.predict_proba(chosen[mask][None].astype(np.float64))[0]
    np.testing.assert_allclose(e.prediction.values, own, atol=1e-6)
    peak = np.argwhere(e.relevance.values[1] == np.nanmax(e.relevance.values[1]))
    np.testing.assert_allclose(e.grid.world(peak)[0], grid.world(np.array([[1, 0, 4]]))[0])


def test_another_version_of_scikit_learn_is_named_in_one_line(tmp_path, rng, monkeypatch):
    x = rng.normal(size=(30, 12))
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.base.__version__", "1.0.2")
        io.dump(LogisticRegression().fit(x, x[:, 0] > 0), tmp_path / "b.skops")
    with pytest.warns(InputWarning, match=r"b.skops: was saved by scikit-learn 1.0.2, and") as seen:
        preddiff.load_model(tmp_path / "b.skops")
    assert len(seen) == 1
    assert "\n" not in str(seen[0].message)
