"""The paper's classifier of scans: what it looks at, how it is judged, and bad tables."""

import runpy
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

import preddiff
from conftest import DATA, needs_data
from preddiff import cli
from preddiff.classify import Table, Voxels, fit
from preddiff.media import maps, volumes
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.models.sources import skops

SHAPE = (4, 5, 6)
AFFINE = nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 2.0]), [5, -5, -4])


@pytest.fixture
def study(tmp_path, rng):
    """26 scans in a folder, patients brighter in a corner, and the table."""
    lines = ["subject,path,group"]
    for n in range(26):
        group = "patient" if n % 3 == 0 else "healthy"
        values = rng.normal(100, 10, size=SHAPE)
        values[:2, :2, :2] += 12 * (group == "patient")
        name = f"scan{n:02d}.nii.gz"
        maps.write(values, Grid(SHAPE, AFFINE), tmp_path / name)
        lines.append(f"{n},{name},{group}")
    (tmp_path / "study.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(monkeypatch, capsys, folder, *arguments):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["preddiff", *map(str, arguments)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    told = capsys.readouterr()
    return leaving.value.code or 0, told.out, told.err


@pytest.mark.parametrize("standardise", [False, True])
def test_it_is_logistic_regression_on_the_voxels(study, standardise):
    """The shorter way, over the directions in which scans differ, ends in the same classifier."""
    table = Table.read(study / "study.csv")
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


def test_from_table_to_map(study, monkeypatch, capsys):
    status, said, complained = run(
        monkeypatch, capsys, study,
        "classify", "fit", "study.csv", "--balance", "--folds", 3, "-o", "study.skops",
    )  # fmt: skip
    assert (status, complained) == (0, "")
    assert "subjects             18 (9 healthy, 9 patient)" in said
    assert "(largest group 50.0%)" in said
    assert said.splitlines()[-1] == "study.skops"
    status, shown, _ = run(monkeypatch, capsys, study, "classify", "show", "study.skops")
    assert shown.splitlines() == said.splitlines()[:-1]

    status, said, complained = run(
        monkeypatch, capsys, study,
        "explain", "scan00.nii.gz", "--model", "study.skops", "--sampler", "constant:100",
        "--target", "patient",
    )  # fmt: skip
    assert status == 0, complained
    assert {path.name for path in (study / "out").iterdir()} == {
        "scan00.zarr", "scan00.png", "scan00.nii.gz", "scan00.html",
    }  # fmt: skip
    e = preddiff.load(study / "out" / "scan00.zarr")
    assert e.labels == ("patient",)
    assert e.provenance["window"] == 3
    assert e.provenance["train_size"] == 18
    peak = np.unravel_index(np.nanargmax(e.relevance.values[0]), SHAPE)
    assert max(peak) < 3
    assert (nibabel.load(study / "out" / "scan00.nii.gz").affine == e.grid.affine).all()


def test_balance_takes_the_first_of_the_larger_group(study):
    table = Table.read(study / "study.csv").balanced()
    names = [path.stem.split(".")[0] for path in table.paths]
    healthy = [n for n, label in zip(names, table.labels, strict=True) if label == "healthy"]
    assert healthy == [f"scan{n:02d}" for n in (1, 2, 4, 5, 7, 8, 10, 11, 13)]


@pytest.mark.parametrize(
    ("slices", "chosen"),
    [
        ("x:1:3", np.s_[:, :, 1:3]),
        ("z:0:1", np.s_[0:1]),
        ("sagittal:2:6", np.s_[:, :, 2:6]),
        ("coronal:4:5", np.s_[:, 4:5]),
    ],
)
def test_slices_and_masks(study, slices, chosen):
    grid = volumes.read(study / "scan00.nii.gz").grid
    mask = np.zeros(SHAPE)
    mask[:, :, :5] = 1
    maps.write(mask, grid, study / "mask.nii")
    expected = np.zeros(SHAPE, bool)
    expected[chosen] = True
    voxels = Voxels.choose(grid, study / "mask.nii", slices)
    assert (voxels.mask == (expected & (mask > 0))).all()
    values = voxels.of([study / "scan03.nii.gz"])
    np.testing.assert_array_equal(
        values[0], volumes.read(study / "scan03.nii.gz").values[0, voxels.mask]
    )


def test_the_file_is_a_linear_model_of_whole_scans(study):
    table = Table.read(study / "study.csv")
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


def table(*lines):
    return lambda folder: (folder / "bad.csv").write_text("\n".join(lines) + "\n")


def bad_scan(folder):
    maps.write(np.ones((3, 3, 3)), Grid((3, 3, 3), AFFINE), folder / "other.nii")
    table("path,group", "scan00.nii.gz,a", "other.nii,b", "scan01.nii.gz,a", "scan02.nii.gz,b")(
        folder
    )


BAD = {
    "no table": (lambda _: None, [], "bad.csv: no such table"),
    "no text": (lambda f: (f / "bad.csv").write_bytes(b"\xff\xfe\0\1"), [], "not a table of text"),
    "empty": (lambda f: (f / "bad.csv").write_text(""), [], "no column 'path'; it has none"),
    "no rows": (table("path,group"), [], "has no rows"),
    "missing column": (table("file,group", "a,b"), [], "no column 'path'; it has file, group"),
    "nearest": (table("path,group", "a,b"), ["--label", "grup"], "'grup'; it has path, group; nea"),
    "missing file": (
        table("path,group", "scan00.nii.gz,a", "gone.nii,b"), [], "line 3: gone.nii: no such file",
    ),
    "empty cell": (table("path,group", "scan00.nii.gz,"), [], "line 2: no 'group'; fill it in"),
    "one class": (
        table("path,group", "scan00.nii.gz,a", "scan01.nii.gz,a"), [], "all of 'group' are 'a'",
    ),
    "few": (
        table("path,group", "scan00.nii.gz,a", "scan01.nii.gz,b"), [], "the group 'a' has 1 scans",
    ),
    "another grid": (bad_scan, ["--folds", 2], "other.nii: a volume of 3×3×3"),
    "slices": (bad_scan, ["--slices", "x:3"], "slices 'x:3': expected AXIS:START:STOP"),
    "no such slices": (bad_scan, ["--slices", "x:2:9"], "the scans have 6 along x"),
    "no such axis": (bad_scan, ["--slices", "w:2:9"], "axis 'w': expected x, y, z"),
    "mask": (bad_scan, ["--mask", "other.nii"], "a mask of 3×3×3"),
    "name": (bad_scan, ["-o", "a.pkl"], "a.pkl: expected a name that ends in .skops"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(study, monkeypatch, capsys, name):
    make, options, message = BAD[name]
    make(study)
    before = sorted(study.rglob("*"))
    arguments = ["classify", "fit", "bad.csv", "-o", "a.skops", *options]
    status, said, complained = run(monkeypatch, capsys, study, *arguments)
    assert (status, said) == (2, "")
    assert message in complained
    assert len(complained.splitlines()) == 1
    assert sorted(study.rglob("*")) == before


def test_show_of_what_is_no_classifier(study, monkeypatch, capsys):
    status, _, complained = run(monkeypatch, capsys, study, "classify", "show", "study.csv")
    assert status == 2
    assert "study.csv: not a whole .skops file" in complained


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
    rows = Table.read(lesions / "table.csv")
    voxels = Voxels.choose(volumes.read(rows.paths[0]).grid, lesions / "damaged.nii")
    fitted = fit(rows, voxels)
    assert fitted.facts["subjects"] == 131
    assert fitted.facts["accuracy"] >= 0.85
    assert fitted.facts["auc"] >= 0.9
    strongest = np.argwhere(voxels.mask)[fitted.estimator.coef_[0].argmax()]
    assert voxels.grid.world(strongest[None])[0, 0] < 0  # where the lesions are
