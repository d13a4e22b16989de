"""Affines and header fields are kept to the bit; only Analyze files leave something to guess."""

import itertools
import warnings

import nibabel
import numpy as np
import pytest

from preddiff.errors import InputError, InputWarning
from preddiff.media import maps, volumes
from preddiff.media.grid import Grid, affine_problem
from scans import AFFINES, OBLIQUE, analyze


@pytest.mark.parametrize("codes", list(itertools.product([0, 1, 4], [0, 2])))
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_map_has_the_scan_s_orientation_to_the_bit(tmp_path, rng, codes, kind):
    image = kind(np.zeros((4, 5, 6), np.float32), OBLIQUE)
    image.set_sform(OBLIQUE / 3, code=codes[0])
    image.set_qform(AFFINES["PIR"], code=codes[1])
    image.to_filename(tmp_path / "scan.nii")
    volume = volumes.read(tmp_path / "scan.nii", quiet=True)  # (0, 0) would warn
    values = rng.normal(size=volume.grid.shape)
    maps.write(values, volume.grid, tmp_path / "map.nii.gz")
    before, after = (nibabel.load(tmp_path / name) for name in ("scan.nii", "map.nii.gz"))
    assert type(after) is kind
    assert (after.affine == before.affine).all()
    for key in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "xyzt_units", "qoffset_x",
                "quatern_b", "quatern_c", "quatern_d"):  # fmt: skip
        assert (after.header[key] == before.header[key]).all(), key
    assert (after.header["pixdim"][:4] == before.header["pixdim"][:4]).all()
    np.testing.assert_array_equal(after.get_fdata(), values.T.astype(np.float32))
    assert volume.grid.axis_codes == (("?",) * 3 if codes == (0, 0) else volume.grid.axis_codes)


def test_analyze_names_no_side_and_says_so(tmp_path):
    stored = analyze(tmp_path)
    for ending in (".hdr", ".img"):
        with pytest.warns(InputWarning, match="does not say which side is left.*set_sform"):
            volume = volumes.read(tmp_path / f"old{ending}")
        assert (volume.values[0] == stored.T).all()
        assert volume.grid.axis_codes == ("?", "?", "?")
    written = nibabel.load(maps.write(volume.values[0], volume.grid, tmp_path / "map.nii"))
    np.testing.assert_allclose(written.affine, nibabel.load(tmp_path / "old.img").affine)


def test_analyze_with_an_affine_beside_it_needs_no_guess(tmp_path):
    analyze(tmp_path, OBLIQUE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = volumes.read(tmp_path / "old.img")
    np.testing.assert_allclose(volume.grid.affine, OBLIQUE, rtol=1e-6)


@pytest.mark.parametrize(("unit", "mm"), [("micron", 0.001), ("meter", 1000), ("mm", 1)])
@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (2, 0)])
def test_microns_are_not_told_as_millimetres(tmp_path, unit, mm, codes):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float32), AFFINES["LAS"])
    image.header.set_xyzt_units(unit)
    image.set_sform(AFFINES["LAS"], code=codes[0])
    image.set_qform(AFFINES["LAS"], code=codes[1])
    image.to_filename(tmp_path / "scan.nii")
    grid = volumes.read(tmp_path / "scan.nii", quiet=True).grid
    np.testing.assert_allclose(grid.voxel_size, np.array([2, 2, 3]) * mm)
    assert f"voxels of {2 * mm:.4g}×{2 * mm:.4g}×{3 * mm:.4g} mm" in str(grid)
    written = maps.write(np.zeros(grid.shape), grid, tmp_path / "map.nii")
    before, after = nibabel.load(tmp_path / "scan.nii"), nibabel.load(written)
    assert (after.affine == before.affine).all()
    assert after.header.get_xyzt_units()[0] == unit
    again = volumes.read(written, quiet=True).grid
    assert again.is_like(grid)


def test_voxels_of_a_tenth_of_a_micron_have_an_inverse():
    tiny = np.diag([1e-4, 1e-4, 1e-4, 1])
    assert affine_problem(tiny) is None
    assert affine_problem(np.diag([1, 1, 0, 1.0])) == "its affine has no inverse"


def test_an_affine_that_was_changed_in_memory_counts():
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float32), AFFINES["RAS"])
    image.affine[0] *= -1
    grid = volumes.from_image(image).grid
    np.testing.assert_allclose(grid.affine, image.affine)
    assert grid.axis_codes == ("L", "A", "S")


MIRRORED = [
    (AFFINES["RAS"], AFFINES["LAS"]),
    (OBLIQUE, OBLIQUE @ np.diag([-1, 1, 1, 1])),
    (AFFINES["RAS"], AFFINES["RAS"] @ np.diag([1, 1, -1, 1])),  # of the other hand
    (AFFINES["RAS"], np.diag([-1, -1, 1, 1]) @ AFFINES["RAS"]),  # turned half round: L is R
]


@pytest.mark.parametrize("codes", [(1, 1), (4, 1)])
@pytest.mark.parametrize(("sform", "qform"), MIRRORED)
def test_sform_and_qform_that_exchange_the_sides_name_none(tmp_path, rng, sform, qform, codes):
    """Programs that prefer the other one show the map on the other side."""
    image = nibabel.Nifti1Image(rng.normal(size=(4, 5, 6)).astype(np.float32), sform)
    image.set_sform(sform, code=codes[0])
    image.set_qform(qform, code=codes[1])
    image.to_filename(tmp_path / "scan.nii")
    with pytest.warns(InputWarning, match=r"scan.nii: says of either side .*set_qform\(None\)"):
        volume = volumes.read(tmp_path / "scan.nii")
    assert volume.grid.axis_codes == ("?", "?", "?")
    clear = Grid(volume.grid.shape, volume.grid.affine)
    with pytest.raises(InputError, match="a volume says of either side that it is left"):
        volumes.resample(volume, clear)
    with pytest.raises(InputError, match="the scan's says of either side"):
        volumes.mask_on_grid(volumes.Volume(volume.values, clear), "mask", volume.grid,
                             resampled=True)  # fmt: skip
    image.set_qform(None)
    image.to_filename(tmp_path / "mended.nii")
    assert volumes.read(tmp_path / "mended.nii").grid.knows_sides


@pytest.mark.parametrize("angle", [5, 40, 170])
def test_a_scan_that_was_turned_to_a_template_keeps_its_sides(tmp_path, angle):
    turned = nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(x=np.deg2rad(angle)))
    for name in ("RAS", "LAS"):
        image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float32), AFFINES[name])
        image.set_sform(turned @ AFFINES[name] * [[1.1], [1], [0.9], [1]], code=4)
        image.set_qform(AFFINES[name], code=1)
        image.to_filename(tmp_path / "scan.nii")
        assert "?" not in volumes.read(tmp_path / "scan.nii").grid.axis_codes
