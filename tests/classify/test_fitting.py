"""The paper's classifier of scans: its weights, its scores, and its file."""

import runpy
from pathlib import Path

import nibabel
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

import preddiff
from conftest import DATA, needs_data
from preddiff.classify import ScanTable, Voxels, fit
from preddiff.errors import InputError, SettingError
from preddiff.media import maps, volumes
from preddiff.models import Linear
from preddiff.models.sources import skops
from small_study import write_small_study


@pytest.fixture
def study(tmp_path, rng):
    return write_small_study(tmp_path, rng)


@pytest.mark.parametrize("standardise", [False, True])
def test_it_is_logistic_regression_on_the_voxels(study, standardise):
    """The shorter way, over the directions in which scans differ, ends in the same classifier."""
    table = ScanTable.read(study / "study.csv")
    voxels = Voxels.choose(volumes.read(table.paths[0]).grid)
    fitted = fit(table, voxels, folds=4, standardise=standardise)
    x = np.stack([volumes.read(path).values.reshape(-1) for path in table.paths]).astype(float)
    scaler = StandardScaler(with_std=standardise)
    whole = LogisticRegression(max_iter=10_000, tol=1e-10).fit(
        scaler.fit_transform(x), np.array(table.labels)
    )
    weights = whole.coef_[0] / (scaler.scale_ if standardise else 1)
    np.testing.assert_allclose(
        fitted.estimator.coef_[0], weights, atol=2e-3 * np.abs(weights).max()
    )
    from sklearn.pipeline import make_pipeline

    scores = cross_val_score(
        make_pipeline(StandardScaler(with_std=standardise), LogisticRegression(max_iter=10_000)),
        x,
        np.array(table.labels),
        cv=StratifiedKFold(4, shuffle=True, random_state=0),
    )
    assert fitted.facts["accuracy"] == pytest.approx(scores.mean())
    assert fitted.facts["accuracy_spread"] == pytest.approx(scores.std(ddof=1))


def test_the_file_is_a_linear_model_of_whole_scans(study):
    table = ScanTable.read(study / "study.csv")
    grid = volumes.read(table.paths[0]).grid
    fitted = fit(table, Voxels.choose(grid, slices="y:0:3"), folds=3)
    skops.save(study / "a.skops", fitted.estimator, fitted.voxels.mask, grid, fitted.facts)
    model = preddiff.load_model(study / "a.skops")
    assert isinstance(model, Linear)
    assert (model.weights[0, :, 3:] == 0).all()
    assert model.grid.is_like(grid)
    scans = np.stack([volumes.read(path).values for path in table.paths])
    expected = fitted.estimator.predict_proba(scans[:, 0, fitted.voxels.mask].astype(float))
    np.testing.assert_allclose(model.predict(scans), expected, atol=1e-9)


def test_scans_that_do_not_differ_are_refused(study):
    table = ScanTable.read(study / "study.csv")
    same = ScanTable((table.paths[0],) * len(table.paths), table.labels)
    voxels = Voxels.choose(volumes.read(table.paths[0]).grid)
    with pytest.raises(InputError, match=r"scan00\.nii\.gz: all 26 scans have the same values"):
        fit(same, voxels, folds=3)


def test_more_folds_than_scans_of_a_group_are_refused(study):
    table = ScanTable.read(study / "study.csv")
    voxels = Voxels.choose(volumes.read(table.paths[0]).grid)
    with pytest.raises(SettingError, match="folds=10: the group 'patient' has 9 scans"):
        fit(table, voxels)


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    """The real lesion maps as 4 mm block means, and their table, as scripts/lesions.py makes them.

    Read without its checks, which take a minute for all; one is held against the script's own.
    """
    folder, out = DATA / "volumes" / "lesymap", tmp_path_factory.mktemp("lesions")
    scores, lines = np.loadtxt(folder / "behavior.txt"), ["path,group"]
    grid = damaged = None
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "lesions.py"))
    for path, score in zip(sorted(folder.glob("*.nii.gz")), scores, strict=True):
        values = np.asarray(nibabel.load(path).dataobj)
        filled = np.zeros((184, 220, 184), np.uint8)
        filled[:181, :217, :181] = values
        means = filled.reshape(46, 4, 55, 4, 46, 4).mean(axis=(1, 3, 5)).T
        if grid is None:
            expected, grid = script["coarser"](volumes.read(path))
            np.testing.assert_allclose(means, expected, atol=1e-6)
        maps.write(means, grid, out / path.name.removesuffix(".gz"))
        group = "above" if score > np.median(scores) else "below"
        lines.append(f"{path.name.removesuffix('.gz')},{group}")
        damaged = means > 0 if damaged is None else damaged | (means > 0)
    maps.write(damaged.astype(np.float32), grid, out / "damaged.nii")
    (out / "table.csv").write_text("\n".join(lines))
    return out


@needs_data
def test_block_means_lie_where_the_lesions_do(lesions):
    fine = volumes.read(DATA / "volumes" / "lesymap" / "Subject_002.nii.gz")
    coarse = volumes.read(lesions / "Subject_002.nii")

    def centre(volume):
        places = np.argwhere(volume.values[0] > 0)
        weights = volume.values[0][volume.values[0] > 0]
        return np.average(volume.grid.world(places), axis=0, weights=weights)

    np.testing.assert_allclose(centre(coarse), centre(fine), atol=1e-3)


@needs_data
def test_lesion_maps_foretell_the_score(lesions):
    """In voxels that are damaged in somebody: in the others there is nothing to weigh."""
    rows = ScanTable.read(lesions / "table.csv")
    voxels = Voxels.choose(volumes.read(rows.paths[0]).grid, lesions / "damaged.nii")
    fitted = fit(rows, voxels)
    assert fitted.facts["subjects"] == 131
    assert fitted.facts["accuracy"] >= 0.85
    assert fitted.facts["auc"] >= 0.9
    strongest = np.argwhere(voxels.mask)[fitted.estimator.coef_[0].argmax()]
    assert voxels.grid.world(strongest[None])[0, 0] < 0  # where the lesions are
