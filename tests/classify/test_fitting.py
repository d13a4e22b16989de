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
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.models.sources import skops
from small_study import AFFINE, write_small_study


@pytest.fixture
def study(tmp_path, rng):
    return write_small_study(tmp_path, rng)


@pytest.mark.parametrize("standardise", [False, True])
def test_it_is_logistic_regression_on_the_voxels(study, standardise):
    """The shorter way, over the directions in which scans differ, ends in the same classifier."""
    table = ScanTable.read(study / "study.csv")
    voxels = Voxels.choose(volumes.read(table.paths[0]).grid)
    told = []
    fitted = fit(
        table, voxels, folds=4, standardise=standardise, progress=lambda *n: told.append(n)
    )
    assert told == [(done, 5) for done in range(5)]
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


def written(folder, scans, *columns):
    """A table of scans, (scan, z, y, x), with columns (name, values)."""
    grid = Grid(scans.shape[1:], AFFINE)
    lines = [",".join(["path", *(name for name, _ in columns)])]
    for n, values in enumerate(scans):
        maps.write(values, grid, folder / f"s{n}.nii")
        lines.append(",".join([f"s{n}.nii", *(str(of[n]) for _, of in columns)]))
    (folder / "t.csv").write_text("\n".join(lines))
    return folder / "t.csv", Voxels.choose(grid)


def test_copies_of_a_scan_are_refused(tmp_path, rng):
    scans = rng.normal(size=(8, 2, 3, 4))
    scans[5] = scans[2]
    path, voxels = written(tmp_path, scans, ("group", "ab" * 4))
    with pytest.raises(InputError, match=r"s2\.nii and .*s5\.nii: the same values"):
        fit(ScanTable.read(path), voxels, folds=2)


def test_several_scans_of_a_subject_do_not_foretell_each_other(tmp_path, rng):
    """On random labels, scans of a subject that is in the training scans give it away."""
    subject, group = np.arange(120) // 3, np.array(["a", "b"])[(np.arange(120) // 3) % 2]
    scans = rng.normal(size=(40, 3, 4, 5))[subject] + 0.1 * rng.normal(size=(120, 3, 4, 5))
    path, voxels = written(tmp_path, scans, ("group", group), ("who", subject))
    leaking = fit(ScanTable.read(path), voxels, folds=5).facts
    honest = fit(ScanTable.read(path, subject="who"), voxels, folds=5).facts
    assert leaking["accuracy"] > 0.9
    assert honest["accuracy"] < 0.7
    assert honest["people"] == 40
    with pytest.raises(SettingError, match="the group 'a' has 20 subjects"):
        fit(ScanTable.read(path, subject="who"), voxels, folds=21)


def test_a_site_is_no_disease(tmp_path, rng):
    """Most patients were scanned at one of two sites, which is all that tells the groups apart."""
    group, site = np.arange(60) % 2, (np.arange(60) % 2) ^ (np.arange(60) % 5 == 0)
    scans = rng.normal(size=(60, 2, 3, 4)) + 3 * site[:, None, None, None]
    columns = ("group", np.array(["a", "b"])[group]), ("site", site), ("age", 60 + 9 * site)
    path, voxels = written(tmp_path, scans, *columns)
    assert fit(ScanTable.read(path), voxels, folds=5).facts["accuracy"] > 0.75
    for options in ({"sites": ["site"]}, {"covariates": ["age"]}):
        facts = fit(ScanTable.read(path, **options), voxels, folds=5).facts
        assert facts["accuracy"] < 0.65
        assert facts["regressed_out"] == list(*options.values())
    with pytest.raises(SettingError, match="covariates group tell the groups apart by themselves"):
        fit(ScanTable.read(path, sites=["group"]), voxels, folds=5)
