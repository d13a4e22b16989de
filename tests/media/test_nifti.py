"""Damaged and malicious files are told apart before they are read."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from preddiff.errors import InputError
from preddiff.media import volumes
from scans import analyze


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
