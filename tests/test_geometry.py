"""Left stays left: results know where their voxels lie, and maps overlay on the scan."""

import nibabel
import numpy as np
import pytest

import preddiff
from preddiff.errors import ResultError, SettingError
from preddiff.explanation import Explanation
from preddiff.media import volumes
from preddiff.models import Linear
from preddiff.samplers import Constant
from test_volumes import scan


@pytest.fixture
def explanation(tmp_path, rng):
    """Of a scan in a file whose header tells who it is of, for both classes."""
    scan(rng).to_filename(tmp_path / "scan.nii.gz")
    volume = volumes.read(tmp_path / "scan.nii.gz")
    model = Linear(rng.normal(size=volume.values.shape) / 100)
    e = preddiff.explain(model, volume.values, "all", sampler=Constant(90.0), window=3)
    affine = (("world", "voxel"), volume.grid.affine, volume.grid.header)
    return Explanation(e.data.assign(affine=affine))


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
    with pytest.raises(SettingError, match="array has no affine: NIfTI is for scans"):
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
