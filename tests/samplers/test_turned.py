"""Samplers of scans that are stored along other axes: the same draws at the same places."""

import nibabel
import numpy as np
import pytest

import preddiff
from preddiff.errors import InputWarning, SamplerError
from preddiff.media import volumes
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Turns
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian, Located, Marginal
from preddiff.samplers.load import read_sampler
from preddiff.samplers.turned import Turned
from scans import AFFINES

SHAPE = (6, 7, 8)  # x, y, z
ORDERS = {
    "as it is": [[0, 1], [1, 1], [2, 1]],
    "LAS": [[0, -1], [1, 1], [2, 1]],
    "LPS": [[0, -1], [1, -1], [2, 1]],
    "permuted": [[2, 1], [0, -1], [1, 1]],
}


@pytest.fixture(params=["RAS", "oblique"])
def cohort(request, tmp_path, rng):
    """Thirty scans whose left half is brighter and varies less, as images."""
    made = []
    for _ in range(30):
        values = rng.normal(100, 10, size=SHAPE)
        values[:3] = 200 + (values[:3] - 100) / 5
        made.append(nibabel.Nifti1Image(values.astype(np.float32), AFFINES[request.param]))
    return made


def folder_of(images, folder, order):
    folder.mkdir()
    for n, image in enumerate(images):
        image.as_reoriented(ORDERS[order]).to_filename(folder / f"{n:02d}.nii")
    return folder


@pytest.fixture(params=ORDERS)
def folder(request, cohort, tmp_path):
    return folder_of(cohort, tmp_path / "scans", request.param)


@pytest.fixture
def model(rng):
    return Linear(rng.normal(size=(1, *SHAPE[::-1])) / 100)


def explained(model, scan, sampler, **settings):
    return preddiff.explain(model, scan, 1, sampler=sampler, window=1, **settings).relevance.values


@pytest.mark.parametrize("engine", ["dense", "linear"])
def test_the_same_scan_stored_otherwise_in_the_pool_has_no_evidence(
    cohort, tmp_path, model, engine
):
    for order in ORDERS:
        folder = folder_of(cohort[:1], tmp_path / order, order)
        relevance = explained(model, cohort[0], f"marginal:{folder}", engine=engine)
        np.testing.assert_allclose(relevance, 0, atol=1e-9)


def made(kind, folder):
    scans = VolumeFolder(folder)
    if kind == "marginal":
        return Marginal(np.stack(list(scans)), scan_grid=scans.grid)
    if kind == "located":
        return Located.fit(scans, 3, (2, 2, 2))
    return ConditionalGaussian.fit(scans, 3)


@pytest.mark.parametrize("kind", ["marginal", "conditional", "located"])
def test_maps_do_not_depend_on_how_the_cohort_is_stored(cohort, folder, tmp_path, model, kind):
    straight = folder_of(cohort, tmp_path / "straight", "as it is")
    settings = {"engine": "linear", "margin": 1}
    if kind == "located":  # whose cells differ by a voxel when they are counted from the other end
        scan = cohort[3].as_reoriented(ORDERS["as it is"])
        stored = nibabel.load(folder / "03.nii")
        turns = volumes.from_image(stored).grid.turns_to(volumes.from_image(scan).grid)
        own = Linear(turns.undone(model.weights))
        expected = turns.applied(explained(own, stored, made(kind, folder), **settings))
    else:
        expected = explained(model, cohort[3], made(kind, straight), **settings)
    made(kind, folder).save(tmp_path / "sampler.npz")
    found = explained(model, cohort[3], read_sampler(tmp_path / "sampler.npz"), **settings)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    if kind != "marginal":
        spec = f"conditional:{tmp_path / 'sampler.npz'}"
        np.testing.assert_array_equal(explained(model, cohort[3], spec, **settings)[0], found[0])
        drawn = explained(model, cohort[3], spec, margin=1, samples=400, tolerance=0.5)
        assert np.corrcoef(drawn.ravel(), found.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("kind", ["marginal", "located", "conditional"])
def test_a_sampler_of_another_place_is_refused_with_both_grids(cohort, tmp_path, model, kind):
    sampler = made(kind, folder_of(cohort, tmp_path / "scans", "as it is"))
    moved = np.diag([3.0, 1, 1, 1]) @ cohort[0].affine
    other = nibabel.Nifti1Image(cohort[0].get_fdata(dtype=np.float32), moved)
    with pytest.raises(SamplerError, match=r"a sampler of 6×7×8 .*: expected the scan's 6×7×8 "):
        explained(model, other, sampler, margin=1)


@pytest.mark.parametrize("kind", ["marginal", "located", "conditional"])
def test_draws_never_come_from_an_unknown_side(cohort, tmp_path, model, kind):
    sampler = made(kind, folder_of(cohort, tmp_path / "scans", "as it is"))
    silent = nibabel.Nifti1Image(cohort[0].get_fdata(dtype=np.float32), None)
    with (
        pytest.warns(InputWarning, match="does not say which side is left"),
        pytest.raises(SamplerError, match="the scan's does not say which side is left.*set_sform"),
    ):
        explained(model, silent, sampler, margin=1)


def test_an_old_sampler_without_a_grid_says_that_sides_cannot_be_checked(cohort, tmp_path, model):
    Marginal(np.stack([volumes.from_image(each).values for each in cohort])).save(
        tmp_path / "old.npz"
    )
    with pytest.warns(InputWarning, match="cannot be checked that left is left.*fit it anew"):
        explained(model, cohort[0], f"marginal:{tmp_path / 'old.npz'}")


def test_a_file_keeps_the_grid_to_the_bit(cohort, tmp_path):
    sampler = made("located", folder_of(cohort, tmp_path / "scans", "LAS"))
    sampler.save(tmp_path / "a.npz")
    kept = read_sampler(tmp_path / "a.npz").scan_grid
    assert (kept.affine == sampler.scan_grid.affine).all()
    assert (kept.shape, kept.header) == (sampler.scan_grid.shape, sampler.scan_grid.header)
    assert sampler.paired().scan_grid is sampler.scan_grid


@pytest.mark.parametrize(
    "broken", [{"scan_affine": np.zeros((4, 4))}, {"scan_shape": [1, 2]}, {"scan_header": "{"}]
)
def test_a_damaged_grid_in_a_file_is_refused(cohort, tmp_path, broken):
    made("marginal", folder_of(cohort, tmp_path / "scans", "LAS")).save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = {**file, **broken}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SamplerError, match=r"a.npz: .*(damaged|incomplete)"):
        read_sampler(tmp_path / "a.npz")


def test_places_of_any_shape_are_hidden_in_a_turned_scan(rng):
    pool = rng.random((4, 1, 5, 6, 7)).astype(np.float32)
    turns = Turns((2, 0, 1), (True, False, True))
    scan = turns.applied(pool[0])
    hidden = rng.random(scan.shape[1:]) < 0.3
    filled = Turned(Marginal(pool), turns).hide(scan, hidden, 4, 1, None)
    np.testing.assert_array_equal(filled[:, :, ~hidden], np.stack([scan] * 4)[:, :, ~hidden])
    found = {tuple(each[:, hidden].ravel()) for each in filled}
    assert found == {tuple(turns.applied(each)[:, hidden].ravel()) for each in pool}
