"""Maps lie on their scan's grid, never replace a scan, and say nothing of the patient."""

import nibabel
import numpy as np
import pytest

import preddiff
from preddiff.media import maps, volumes


def test_several_maps_go_along_the_fourth_axis(tmp_path, rng, path):
    grid = volumes.read(path).grid
    values = rng.normal(size=(3, *grid.shape)).astype(np.float32)
    stored = nibabel.load(maps.write(values, grid, tmp_path / "maps.nii"))
    assert stored.shape == (7, 9, 8, 3)
    np.testing.assert_array_equal(stored.get_fdata()[..., 1], values[1].T)


def test_a_scan_is_never_overwritten_by_a_map(path):
    volume = volumes.read(path)
    with pytest.raises(preddiff.PreddiffError, match="exists and is no map"):
        maps.write(volume.values[0], volume.grid, path)
    maps.write(volume.values[0], volume.grid, path.with_name("map.nii.gz"))
    maps.write(volume.values[0] + 1, volume.grid, path.with_name("map.nii.gz"))
    assert (nibabel.load(path).header["descrip"]) == b"Jane Doe 1970-01-01"


def test_nothing_that_identifies_is_in_a_map(path):
    volume = volumes.read(path)
    written = maps.write(volume.values[0], volume.grid, path.with_name("map.nii"))
    content = written.read_bytes()
    assert b"Jane" not in content
    assert b"jane" not in content
    assert "Jane" not in repr(volume.grid.header)
