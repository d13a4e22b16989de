"""Folders of pictures and of volumes."""

import nibabel
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from preddiff.errors import InputError, InputWarning
from preddiff.media import folders, maps, ours, volumes
from scans import AFFINES, analyze, scan


def test_folders_of_volumes(path):
    analyze(path.parent)
    volume = volumes.read(path)
    maps.write(volume.values[0], volume.grid, path.with_name("map.nii.gz"))  # of an earlier run
    assert [p.name for p in folders.find_volumes(path.parent)] == ["old.img", "scan.nii.gz"]
    with pytest.raises(InputError, match="no such folder"):
        folders.find_volumes(path.parent / "nil")
    (path.parent / "empty").mkdir()
    with pytest.raises(InputError, match="no volumes in this folder"):
        folders.find_volumes(path.parent / "empty")


def test_figures_of_earlier_runs_are_no_pictures_to_draw_from(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "picture.png")
    Figure().savefig(tmp_path / "figure.png", metadata={"Software": ours.SIGN})
    assert [path.name for path in folders.find_pictures(tmp_path)] == ["picture.png"]


def test_folders_of_pictures(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.png", "below/a.JPG", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    found = folders.find_pictures(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found] == ["b.png", "below/a.JPG"]
    with pytest.raises(InputError, match="expected one with pictures in it"):
        folders.find_pictures(tmp_path / "nil")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no pictures in this folder \(.bmp, .gif"):
        folders.find_pictures(tmp_path / "empty")


def test_volumes_of_a_folder_share_one_grid(tmp_path, rng):
    for name in ("b", "a"):
        scan(rng).to_filename(tmp_path / f"{name}.nii")
    several = folders.VolumeFolder(tmp_path)
    assert len(several) == 2
    assert [path.name for path in several.paths] == ["a.nii", "b.nii"]
    for path, values in zip(several.paths, several, strict=True):
        assert (values == volumes.read(path).values).all()
    assert folders.contains_volumes(tmp_path)
    scan(rng, AFFINES["LAS"]).to_filename(tmp_path / "c.nii")
    with pytest.raises(InputError, match=r"c.nii: a volume of .* expected that of the first"):
        list(folders.VolumeFolder(tmp_path))


def test_volumes_on_other_grids_are_interpolated_where_asked(tmp_path, rng):
    scan(rng, AFFINES["RAS"]).to_filename(tmp_path / "a.nii")
    finer = AFFINES["RAS"] @ np.diag([0.5, 0.5, 0.5, 1])
    scan(rng, finer, shape=(13, 17, 15)).to_filename(tmp_path / "b.nii")
    grid = volumes.read(tmp_path / "b.nii").grid
    first, second = folders.VolumeFolder(tmp_path, grid)
    assert first.shape == second.shape == (1, 15, 17, 13)
    np.testing.assert_allclose(first[:, ::2, ::2, ::2], volumes.read(tmp_path / "a.nii").values)
    far = AFFINES["RAS"].copy()
    far[0, 3] = 500
    scan(rng, far).to_filename(tmp_path / "c.nii")
    with pytest.raises(InputError, match=r"c.nii: a volume of .* do not overlap"):
        list(folders.VolumeFolder(tmp_path, grid))


def test_what_a_mac_leaves_is_no_picture_and_no_scan(tmp_path, rng):
    scan(rng).to_filename(tmp_path / "a.nii")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / ".Trashes").mkdir()
    for name in ("._a.nii", "._b.png", "__MACOSX/._a.nii", ".Trashes/c.nii", ".Trashes/c.png"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (tmp_path / "b.png").write_bytes(b"")
    assert [path.name for path in folders.find_volumes(tmp_path)] == ["a.nii"]
    assert [path.name for path in folders.find_pictures(tmp_path)] == ["b.png"]
    (tmp_path / "a.nii").unlink()
    assert not folders.contains_volumes(tmp_path)


@pytest.mark.parametrize("copy", ["a.nii", "a.mgz"])
def test_a_scan_packed_and_unpacked_counts_once(tmp_path, rng, copy):
    image = scan(rng)
    image.to_filename(tmp_path / "a.nii.gz")
    kind = nibabel.MGHImage if copy == "a.mgz" else nibabel.Nifti1Image
    kind(image.get_fdata(dtype="float32"), image.affine).to_filename(tmp_path / copy)
    scan(rng).to_filename(tmp_path / "b.nii.gz")
    with pytest.warns(InputWarning, match="holds the same scan as a"):
        found = folders.find_volumes(tmp_path)
    assert len(found) == 2
    scan(rng).to_filename(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="holds another scan than a.* beside it"):
        folders.find_volumes(tmp_path)


def test_a_folder_of_capitals_is_read(tmp_path, rng):
    scan(rng).to_filename(tmp_path / "a.nii.gz")
    (tmp_path / "a.nii.gz").rename(tmp_path / "A.NII.GZ")
    (values,) = folders.VolumeFolder(tmp_path)
    assert values.shape == (1, 8, 9, 7)
