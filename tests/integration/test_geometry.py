"""Left stays left: results know where their voxels lie, and maps overlay on the scan."""

import nibabel
import numpy as np
import pytest

import preddiff
from preddiff.errors import InputError, InputWarning, ResultError, SettingError
from preddiff.media import maps, volumes
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.render.slices import PLANES, Plane
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant
from scans import AFFINES, scan


@pytest.fixture
def explanation(tmp_path, rng):
    """Of a scan in a file whose header tells who it is of, for both classes."""
    scan(rng).to_filename(tmp_path / "scan.nii.gz")
    model = Linear(rng.normal(size=(1, 8, 9, 7)) / 100)
    return preddiff.explain(model, tmp_path / "scan.nii.gz", "all", sampler=Constant(90.0))


def explained(path, model, **settings):
    return preddiff.explain(model, path, 1, sampler=Constant(0.0), **settings)


def peak(e):
    """Millimetres of the voxel of the largest relevance."""
    where = np.argwhere(e.relevance.values[0] == np.nanmax(e.relevance.values))
    return e.grid.world(where).mean(axis=0)


LEFT = np.array([-14.0, 6.0, 8.0])
"""Where the bright voxel is, in millimetres: on the left, in front, above."""


@pytest.fixture(params=AFFINES)
def bright(request, tmp_path):
    """A file with one bright voxel at LEFT, in one of several orientations."""
    turn = AFFINES[request.param][:3, :3]
    shape, voxel = (12, 13, 14), np.array([5, 8, 4])
    affine = nibabel.affines.from_matvec(turn, LEFT - turn @ voxel)
    values = np.zeros(shape, np.float32)
    values[tuple(voxel)] = 1
    image = nibabel.Nifti1Image(values, affine)
    image.set_sform(affine, code="scanner")
    image.to_filename(tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


@pytest.mark.parametrize("engine", ["dense", "linear"])
def test_left_stays_left(tmp_path, bright, engine):
    model = Linear(np.ones((1, 14, 13, 12)))
    e = explained(bright, model, engine=engine)
    assert e.provenance["window"] == 3
    np.testing.assert_allclose(peak(e), LEFT, atol=1e-3)
    stored = nibabel.load(preddiff.export(e, tmp_path / "map.nii.gz"))
    values = stored.get_fdata()
    where = np.argwhere(values == values.max()).mean(axis=0)
    np.testing.assert_allclose(nibabel.affines.apply_affine(stored.affine, where), LEFT, atol=1e-3)
    assert (stored.affine == nibabel.load(bright).affine).all()


def test_flipping_the_array_and_the_affine_flips_nothing_in_the_world(tmp_path, bright):
    """The same scan stored the other way round gives the same map at the same millimetres."""
    before = nibabel.load(bright)
    flipped = before.as_reoriented([[0, -1], [1, 1], [2, -1]])
    assert (flipped.affine != before.affine).any()
    flipped.to_filename(tmp_path / "flipped.nii")
    model = Linear(np.ones((1, 14, 13, 12)))
    one, other = explained(bright, model), explained(tmp_path / "flipped.nii", model)
    np.testing.assert_allclose(peak(one), peak(other), atol=1e-3)
    np.testing.assert_allclose(other.relevance.values[0, ::-1, :, ::-1], one.relevance.values[0])


def test_a_mask_limits_the_windows(tmp_path, bright):
    grid = volumes.read(bright).grid
    mask = np.zeros(grid.shape)
    mask[:, :, :6] = 1
    maps.write(mask, grid, tmp_path / "mask.nii")
    e = explained(bright, Linear(np.ones((1, *grid.shape))), mask=tmp_path / "mask.nii")
    covered = ~np.isnan(e.relevance.values[0]).all(axis=(0, 1))
    assert covered.tolist() == [True] * 8 + [False] * 4
    assert e.provenance["masked"]


def on_grid_of(path, factor=1.0):
    """A model on the grid of a scan, or on one of other voxels."""
    grid = volumes.read(path).grid
    model = Linear(np.ones((1, *grid.shape)))
    model.grid = Grid(grid.shape, grid.affine @ np.diag([factor] * 3 + [1]))
    return model


def test_a_model_of_another_grid(tmp_path, bright):
    with pytest.raises(InputError, match=r"a scan of 12×13×14 .*: expected the model's 12×"):
        explained(bright, on_grid_of(bright, 1.1))
    explained(bright, on_grid_of(bright))
    e = explained(bright, on_grid_of(bright, 1.1), resample=True)
    assert e.provenance["resampled"]
    assert np.linalg.norm(peak(e) - LEFT) < 3  # the voxels are 2 mm and more
    grid = volumes.read(bright).grid
    maps.write(np.ones(grid.shape), grid, tmp_path / "mask.nii")
    again = explained(bright, on_grid_of(bright, 1.1), resample=True, mask=tmp_path / "mask.nii")
    assert again.grid.is_like(e.grid)
    moved = volumes.resample(volumes.read(bright), on_grid_of(bright, 1.1).grid)
    with pytest.raises(InputError, match="a mask of 12×13×14"):
        explained(moved, on_grid_of(bright, 1.1), mask=tmp_path / "mask.nii")


@pytest.mark.parametrize("axes", [[[0, -1], [1, 1], [2, 1]], [[0, -1], [1, -1], [2, 1]],
                                  [[2, 1], [0, -1], [1, 1]]])  # fmt: skip
def test_a_mask_lies_where_it_was_drawn_however_it_is_stored(tmp_path, bright, axes):
    image = nibabel.load(bright)
    drawn = np.zeros(image.shape, np.float32)
    drawn[5:7, 8, 4] = 1
    stored = nibabel.Nifti1Image(drawn, image.affine).as_reoriented(axes)
    stored.to_filename(tmp_path / "mask.nii")
    model = on_grid_of(bright)
    settings = {"mask": tmp_path / "mask.nii", "window": 1}
    with pytest.raises(InputError, match="mask.nii: a mask of"):
        explained(bright, model, **settings)
    e = explained(bright, model, resample=True, **settings)
    covered = np.argwhere(e.coverage.values > 0)
    expected = nibabel.affines.apply_affine(image.affine, [[5, 8, 4], [6, 8, 4]])
    np.testing.assert_allclose(e.grid.world(covered), expected, atol=1e-3)
    np.testing.assert_allclose(peak(e), LEFT, atol=1e-3)


@pytest.fixture
def silent(bright, tmp_path):
    """The bright scan without codes, as `Nifti1Image(v, None)` writes it."""
    path = tmp_path / "silent.nii"
    nibabel.Nifti1Image(nibabel.load(bright).get_fdata(dtype=np.float32), None).to_filename(path)
    return path


@pytest.mark.parametrize("resample", [False, True])
def test_a_scan_without_codes_is_never_mirrored(bright, silent, resample):
    model = on_grid_of(bright)
    with (
        pytest.warns(InputWarning, match="silent.nii: does not say which side is left"),
        pytest.raises(InputError, match=r"a scan does not say .*set_sform.*resampling cannot"),
    ):
        explained(silent, model, resample=resample)


def test_a_mask_for_a_scan_without_codes_is_refused(bright, silent):
    model = Linear(np.ones((1, 14, 13, 12)))
    with (
        pytest.warns(InputWarning, match="does not say which side is left"),
        pytest.raises(InputError, match="the scan's does not say which side is left"),
    ):
        explained(silent, model, mask=bright, resample=False)


def test_a_scan_without_codes_names_no_side_anywhere(silent, tmp_path):
    with pytest.warns(InputWarning, match="no side is named"):
        e = explained(silent, Linear(np.ones((1, 14, 13, 12))))
    preddiff.save(e, tmp_path / "e.zarr")
    e = preddiff.load(tmp_path / "e.zarr")
    assert e.grid.axis_codes == ("?", "?", "?")
    stored = nibabel.load(preddiff.export(e, tmp_path / "map.nii.gz"))
    assert (stored.header["sform_code"], stored.header["qform_code"]) == (0, 0)
    assert (stored.affine == nibabel.load(silent).affine).all()
    values = stored.get_fdata()
    assert values[5, 8, 4] == values.max()
    assert all(Plane.of(e.grid, name).letters is None for name in PLANES)
    assert '"oriented": false' in preddiff.page(e, tmp_path / "e.html").read_text()


def test_resampling_where_there_is_nothing_to_resample_to(bright):
    with pytest.raises(SettingError, match="knows no grid of its own; leave it out"):
        explained(bright, Linear(np.ones((1, 14, 13, 12))), resample=True)
    with pytest.raises(SettingError, match="is for scans in files; leave it out"):
        explained(np.zeros((1, 5, 5, 5)), Linear(np.ones((1, 5, 5, 5))), resample=True)


def test_what_nibabel_holds_and_arrays_are_volumes_too(bright):
    model = Linear(np.ones((1, 14, 13, 12)))
    from_file = explained(bright, model)
    held = explained(nibabel.load(bright), model)
    array = explained(volumes.read(bright).values, model)
    assert held.provenance["input"] == "scan"
    assert array.provenance["input"] == "array"
    assert array.grid is None
    assert array.provenance["window"] == held.provenance["window"] == 3
    for e in (held, array):
        np.testing.assert_array_equal(e.relevance.values, from_file.relevance.values)


def test_a_result_keeps_the_grid_to_the_bit(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    kept, grid = preddiff.load(tmp_path / "a.zarr").grid, explanation.grid
    assert kept.shape == grid.shape
    assert (kept.affine == grid.affine).all()
    assert dict(kept.header) == dict(grid.header)
    assert kept.axis_codes == ("R", "A", "S")


@pytest.mark.parametrize("name", ["map.nii", "map.nii.gz"])
def test_a_map_lies_on_the_scan(tmp_path, explanation, name):
    preddiff.save(explanation, tmp_path / "a.zarr")
    written = preddiff.export(preddiff.load(tmp_path / "a.zarr"), tmp_path / name)
    stored, before = nibabel.load(written), nibabel.load(tmp_path / "scan.nii.gz")
    assert stored.shape == (*before.shape, 2)
    assert (stored.get_sform() == before.get_sform()).all()
    assert (stored.get_qform() == before.get_qform()).all()
    assert (stored.header["sform_code"], stored.header["qform_code"]) == (4, 1)
    expected = explanation.relevance.values.astype(np.float32).transpose(3, 2, 1, 0)
    np.testing.assert_array_equal(stored.get_fdata(), expected)


def test_a_map_never_replaces_the_scan(tmp_path, explanation):
    with pytest.raises(ResultError, match="exists and is no map"):
        preddiff.export(explanation, tmp_path / "scan.nii.gz")


def test_what_has_no_affine_is_no_nifti(tmp_path, explanation):
    without = Explanation(explanation.data.drop_vars("affine"))
    assert without.grid is None
    with pytest.raises(SettingError, match="scan.nii.gz has no affine: NIfTI is for scans"):
        preddiff.export(without, tmp_path / "map.nii")
    assert not (tmp_path / "map.nii").exists()


def test_netcdf_holds_the_grid_too(tmp_path, explanation):
    import xarray

    written = preddiff.export(explanation, tmp_path / "a.nc")
    with xarray.open_dataset(written, engine="scipy") as opened:
        grid = Explanation(opened.load()).grid
    assert (grid.affine == explanation.grid.affine).all()
    assert grid.axis_codes == ("R", "A", "S")


def test_nothing_that_identifies_is_in_a_result(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    preddiff.export(explanation, tmp_path / "a.npz")
    preddiff.export(explanation, tmp_path / "a.nc")
    preddiff.export(explanation, tmp_path / "a.nii")
    for path in [*(tmp_path / "a.zarr").rglob("*"), *tmp_path.glob("a.n*")]:
        if path.is_file():
            assert b"jane" not in path.read_bytes().lower(), path


def test_a_mask_is_resampled_to_a_scan_of_a_model_without_a_grid(bright, tmp_path):
    scan = nibabel.load(bright)
    finer = scan.affine @ np.diag([0.5, 0.5, 0.5, 1])
    mask = np.zeros([2 * n for n in scan.shape], np.uint8)
    mask[:6] = 1
    nibabel.Nifti1Image(mask, finer).to_filename(tmp_path / "mask.nii")
    model = Linear(np.ones((1, *scan.shape[::-1])))
    with pytest.raises(InputError, match="let it be resampled .resample=True, --resample"):
        explained(bright, model, mask=tmp_path / "mask.nii")
    e = explained(bright, model, mask=tmp_path / "mask.nii", resample=True)
    known = np.isfinite(e.relevance.values[0])
    assert known[..., 2].all()
    assert not known[..., -1].any()
