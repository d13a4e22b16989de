"""Scans in files: values and affines to the bit, nothing flipped, and bad files told apart."""

import gzip
import itertools
import struct
import warnings

import nibabel
import numpy as np
import pytest

import preddiff
from conftest import DATA, needs_data
from preddiff.errors import InputError, InputWarning, SettingError
from preddiff.media import maps, volumes
from preddiff.media.grid import Grid

OBLIQUE = np.array(
    [[1.9, 0.3, -0.2, -33.0], [-0.35, 1.7, 0.5, -21.0], [0.1, -0.4, 2.2, -17.0], [0, 0, 0, 1]]
)
AFFINES = {
    "RAS": nibabel.affines.from_matvec(np.diag([2.0, 2.0, 3.0]), [-20, -30, -40]),
    "LAS": nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 3.0]), [20, -30, -40]),
    "PIR": nibabel.affines.from_matvec([[0, 0, 2.0], [-2.0, 0, 0], [0, -3.0, 0]], [-20, 30, 40]),
    "oblique": OBLIQUE,
}


def scan(rng, affine=OBLIQUE, shape=(7, 9, 8)):
    """An image with a sform, another qform, and texts that tell who it is of."""
    image = nibabel.Nifti1Image(rng.normal(100, 10, size=shape).astype(np.float32), affine)
    image.set_sform(affine, code="mni")
    image.set_qform(AFFINES["LAS"], code="scanner")
    image.header["descrip"] = b"Jane Doe 1970-01-01"
    image.header["aux_file"] = b"jane.doe.txt"
    image.header["db_name"] = b"ward 7, Jane"
    image.header["intent_name"] = b"Jane Doe"
    return image


@pytest.fixture
def path(tmp_path, rng):
    file = tmp_path / "scan.nii.gz"
    scan(rng).to_filename(file)
    return file


def test_arrays_are_the_file_s_axes_reversed_and_nothing_else(path):
    volume = volumes.read(path)
    stored = nibabel.load(path)
    assert volume.values.dtype == np.float32
    assert volume.values.shape == (1, 8, 9, 7)
    for x, y, z in [(0, 0, 0), (6, 0, 3), (2, 8, 7)]:
        assert volume.values[0, z, y, x] == stored.get_fdata()[x, y, z]
        where = volume.grid.world(np.array([[z, y, x]]))[0]
        np.testing.assert_allclose(where, nibabel.affines.apply_affine(stored.affine, (x, y, z)))


@pytest.mark.parametrize("codes", list(itertools.product([0, 1, 4], [0, 2])))
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_map_has_the_scan_s_orientation_to_the_bit(tmp_path, rng, codes, kind):
    image = kind(np.zeros((4, 5, 6), np.float32), OBLIQUE)
    image.set_sform(OBLIQUE / 3, code=codes[0])
    image.set_qform(AFFINES["PIR"], code=codes[1])
    image.to_filename(tmp_path / "scan.nii")
    volume = volumes.read(tmp_path / "scan.nii")
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


def test_several_maps_go_along_the_fourth_axis(tmp_path, rng, path):
    grid = volumes.read(path).grid
    values = rng.normal(size=(3, *grid.shape)).astype(np.float32)
    stored = nibabel.load(maps.write(values, grid, tmp_path / "maps.nii"))
    assert stored.shape == (7, 9, 8, 3)
    np.testing.assert_array_equal(stored.get_fdata()[..., 1], values[1].T)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float64])
def test_slope_and_intercept_are_respected(tmp_path, dtype):
    stored = np.arange(24).reshape(2, 3, 4).astype(dtype)
    image = nibabel.Nifti1Image(stored, np.eye(4), dtype=dtype)
    image.header.set_slope_inter(0.5, -1024)
    image.to_filename(tmp_path / "a.nii")
    with (tmp_path / "a.nii").open("r+b") as file:
        file.seek(112)
        file.write(struct.pack("<ff", 0.5, -1024))
        file.seek(352)
        file.write(stored.tobytes(order="F"))
    expected = stored.T[None] * 0.5 - 1024
    np.testing.assert_allclose(volumes.read(tmp_path / "a.nii").values, expected)


def test_what_nibabel_holds_in_memory_is_read_the_same(path):
    image = nibabel.load(path)
    volume = volumes.from_image(image)
    assert (volume.values == volumes.read(path).values).all()
    assert not image.in_memory


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 4, 5, 1), np.float32), np.eye(4))
    image.to_filename(tmp_path / "a.nii")
    assert volumes.read(tmp_path / "a.nii").values.shape == (1, 5, 4, 3)


@pytest.mark.parametrize(
    ("name", "codes", "sagittal"),
    [("RAS", "RAS", 2), ("LAS", "LAS", 2), ("PIR", "PIR", 0), ("oblique", "RAS", 2)],
)
def test_axes_have_names(name, codes, sagittal):
    grid = Grid((5, 4, 3), AFFINES[name])
    assert "".join(grid.axis_codes) == codes
    assert grid.axis("sagittal") == sagittal
    assert [grid.axis(axis) for axis in "xyz"] == [2, 1, 0]
    with pytest.raises(SettingError, match="axis 'w': expected x, y, z, sagittal, coronal, axial"):
        grid.axis("w")


def test_grids_are_alike_to_a_hundredth_of_a_voxel():
    grid = Grid((50, 60, 40), OBLIQUE)
    moved = OBLIQUE.copy()
    moved[0, 3] += 0.01
    assert grid.is_like(Grid((50, 60, 40), moved))
    moved[0, 3] += 0.1
    assert not grid.is_like(Grid((50, 60, 40), moved))
    assert not grid.is_like(Grid((50, 60, 41), OBLIQUE))
    assert not grid.is_like(Grid((50, 60, 40), OBLIQUE @ np.diag([1.001, 1, 1, 1])))
    assert str(Grid((5, 4, 3), AFFINES["LAS"])) == (
        "3×4×5 voxels of 2×2×3 mm (LAS) from (20, -30, -40)"
    )


def test_a_mask_is_where_a_volume_is_not_zero(tmp_path, path):
    volume = volumes.read(path)
    marked = np.zeros(volume.grid.shape)
    marked[3, 4, 5] = -2
    maps.write(marked, volume.grid, tmp_path / "mask.nii")
    assert np.argwhere(volumes.read_mask(tmp_path / "mask.nii", volume.grid)).tolist() == [
        [3, 4, 5]
    ]


@pytest.mark.parametrize("name", AFFINES)
def test_resampling_keeps_the_place_in_the_world(name):
    grid = Grid((30, 30, 30), AFFINES[name])
    values = np.zeros((1, *grid.shape), np.float32)
    values[0, 20, 10, 15] = 1
    fine = Grid((90, 90, 90), AFFINES[name] @ np.diag([1 / 3, 1 / 3, 1 / 3, 1]))
    moved = volumes.resample(volumes.Volume(values, grid), fine)
    peak = np.argwhere(moved.values[0] == moved.values.max())
    expected = grid.world(np.array([[20, 10, 15]]))
    np.testing.assert_allclose(fine.world(peak), expected, atol=1e-6)
    assert moved.grid is fine


def analyze(folder, affine=None):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    kind = nibabel.AnalyzeImage if affine is None else nibabel.Spm99AnalyzeImage
    image = kind(stored, affine)
    image.header.set_zooms((2, 2, 3))
    image.to_filename(folder / "old.img")
    return stored


def test_analyze_is_taken_as_stored_from_right_to_left_and_says_so(tmp_path):
    stored = analyze(tmp_path)
    for ending in (".hdr", ".img"):
        with pytest.warns(InputWarning, match="do not say which side is left"):
            volume = volumes.read(tmp_path / f"old{ending}")
        assert (volume.values[0] == stored.T).all()
        assert volume.grid.axis_codes == ("L", "A", "S")
    written = nibabel.load(maps.write(volume.values[0], volume.grid, tmp_path / "map.nii"))
    np.testing.assert_allclose(written.affine, nibabel.load(tmp_path / "old.img").affine)


def test_analyze_with_an_affine_beside_it_needs_no_guess(tmp_path):
    analyze(tmp_path, OBLIQUE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = volumes.read(tmp_path / "old.img")
    np.testing.assert_allclose(volume.grid.affine, OBLIQUE, rtol=1e-6)


def cut_off(folder):
    content = (folder / "scan.nii.gz").read_bytes()
    (folder / "bad.nii.gz").write_bytes(content[: len(content) // 2])


def cut_off_plain(folder):
    content = gzip.decompress((folder / "scan.nii.gz").read_bytes())
    (folder / "bad.nii").write_bytes(content[:-100])


def overwritten(folder):
    content = bytearray((folder / "scan.nii.gz").read_bytes())
    content[len(content) // 2 :] = bytes(len(content) // 2)
    (folder / "bad.nii.gz").write_bytes(content)


def bomb(ending):
    def make(folder):
        header = nibabel.Nifti2Header()
        header.set_data_dtype(np.float32)
        header.set_data_shape((1000, 1000, 1000))
        raw = bytearray(header.binaryblock + bytes(4))
        raw[16 + 8 : 16 + 32] = struct.pack("<3q", 10**5, 10**5, 10**4)
        packed = gzip.compress(bytes(raw)) if ending.endswith("gz") else bytes(raw)
        (folder / f"bad{ending}").write_bytes(packed)

    return make


def wrong_magic(folder):
    content = bytearray(gzip.decompress((folder / "scan.nii.gz").read_bytes()))
    content[0:4] = b"\0\0\0\0"
    content[344:348] = b"nope"
    (folder / "bad.nii").write_bytes(content)


def stored(values, sform=None):
    def make(folder):
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(folder / "bad.nii")
        if sform is not None:
            with (folder / "bad.nii").open("r+b") as file:
                file.seek(280)
                file.write(np.full(12, sform, np.float32).tobytes())

    return make


NAN = np.ones((3, 4, 5), np.float32)
NAN[0, 0, :2] = np.nan, np.inf

BAD = {
    "no such file": (lambda _: None, "bad.nii: no such file"),
    "empty": (lambda f: (f / "bad.nii").write_bytes(b""), "the file is empty"),
    "truncated .nii.gz": (cut_off, "the scan is damaged"),
    "truncated .nii": (cut_off_plain, "the file is cut off, get it anew"),
    "zeros in it": (overwritten, "the scan is damaged"),
    "no scan": (lambda f: (f / "bad.nii").write_bytes(b"hello" * 200), "no scan that can be read"),
    "wrong magic": (wrong_magic, "no scan that can be read"),
    "no gzip": (lambda f: (f / "bad.nii.gz").write_bytes(b"hello" * 200), "no scan that can be"),
    "no image beside it": (
        lambda f: (analyze(f), (f / "old.img").unlink(), (f / "old.hdr").rename(f / "bad.hdr")),
        "more than 0 bytes of bad.img can hold",
    ),
    "4-D": (stored(np.ones((3, 4, 5, 6), np.float32)), "has 4 dimensions (3×4×5×6), expected one"),
    "2-D": (stored(np.ones((3, 4), np.float32)), "has 2 dimensions (3×4)"),
    "NaN": (stored(NAN), "2 of 60 voxels are NaN or infinite"),
    "colours": (
        stored(np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])),
        "expected plain numbers",
    ),
    "complex": (stored(np.zeros((3, 4, 5), np.complex64)), "expected plain numbers"),
    "flat affine": (stored(np.ones((3, 4, 5), np.float32), 0), "has no inverse"),
    "NaN affine": (stored(np.ones((3, 4, 5), np.float32), np.nan), "affine has"),
    "a bomb": (bomb(".nii.gz"), "100000×100000×10000 voxels: expected 1 to 1,073,741,824"),
    "a bomb that is not packed": (bomb(".nii"), "100000×100000×10000 voxels: expected 1 to"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_told_apart(path, monkeypatch, name, capfd):
    make, message = BAD[name]
    make(path.parent)
    monkeypatch.chdir(path.parent)
    found = [p.name for p in path.parent.glob("bad.*") if p.suffix != ".mat"] or ["bad.nii"]
    with pytest.raises(InputError) as told:
        volumes.read(found[0])
    assert message in str(told.value)
    assert len(str(told.value).splitlines()) == 1
    assert capfd.readouterr().err == ""


def test_a_bomb_that_is_small_enough_to_read_is_seen_by_its_size(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_shape((900, 900, 900))
    content = gzip.compress(header.binaryblock + bytes(4 + 10**5))
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"2,916,000,000 bytes, more than .* can hold"):
        volumes.read(tmp_path / "a.nii.gz")


def test_a_mask_of_another_shape(tmp_path, path):
    grid = volumes.read(path).grid
    maps.write(np.ones((3, 3, 3)), Grid((3, 3, 3), OBLIQUE), tmp_path / "mask.nii")
    with pytest.raises(InputError, match=r"a mask of 3×3×3 voxels .*: expected the scan's 7×9×8"):
        volumes.read_mask(tmp_path / "mask.nii", grid)


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


def test_folders_of_volumes(path):
    analyze(path.parent)
    volume = volumes.read(path)
    maps.write(volume.values[0], volume.grid, path.with_name("map.nii.gz"))  # of an earlier run
    assert [p.name for p in volumes.find(path.parent)] == ["old.img", "scan.nii.gz"]
    with pytest.raises(InputError, match="no such folder"):
        volumes.find(path.parent / "nil")
    (path.parent / "empty").mkdir()
    with pytest.raises(InputError, match="no volumes in this folder"):
        volumes.find(path.parent / "empty")


@pytest.mark.parametrize(
    ("name", "stem"), [("a/s.nii.gz", "s"), ("s.t.NII.GZ", "s.t"), ("s.img", "s"), ("c.jpg", "c")]
)
def test_names(name, stem):
    assert volumes.stem(name) == stem
    assert volumes.is_volume(name) == (not name.endswith("jpg"))


@needs_data
def test_a_real_lesion_map():
    volume = volumes.read(DATA / "volumes" / "lesymap" / "Subject_001.nii.gz")
    assert str(volume.grid) == "181×217×181 voxels of 1×1×1 mm (RAS) from (-90, -125, -71)"
    assert set(np.unique(volume.values)) == {0, 1}
