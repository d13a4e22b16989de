"""Files from strangers: nothing is waited for, nothing is larger than it may be."""

import io
import json
import os
import struct
import tokenize
import zipfile
import zlib

import numpy as np
import pytest
from torch import nn

from preddiff import PreddiffError, load_model, media
from preddiff.classify import ScanTable
from preddiff.errors import InputError, InputWarning, SettingError
from preddiff.media import reading
from preddiff.media.mask_files import open_mask
from preddiff.results import store
from preddiff.samplers.load import read_sampler

READERS = {
    "picture.png": media.open,
    "scan.nii.gz": media.open,
    "model.onnx": load_model,
    "model.skops": load_model,
    "sampler.npz": read_sampler,
    "table.csv": ScanTable.read,
    "how.json": lambda path: load_model(lambda x: x, preprocess=path),
    "labels.txt": lambda path: reading.read_text(path, InputError, "a text"),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_no_reader_waits_for_a_pipe_or_reads_a_device_without_end(tmp_path, name, kind):
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(PreddiffError) as told:
        READERS[name](path)
    assert len(str(told.value).splitlines()) == 1


def test_a_result_with_a_pipe_in_it_is_refused(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    os.mkfifo(tmp_path / "a.zarr" / ".zattrs")
    with pytest.raises(PreddiffError, match="not a result"):
        store.load(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    "failure",
    [MemoryError(), RecursionError("deep"), NotImplementedError(), tokenize.TokenError("a\nb"),
     struct.error("short"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), KeyError("k")],
)  # fmt: skip
def test_whatever_a_reader_raises_is_one_line(failure):
    with (
        pytest.raises(InputError, match=rf"^a: damaged \({type(failure).__name__}: ") as told,
        reading.failures_as(lambda why: InputError(f"a: damaged ({why})")),
    ):
        raise failure
    assert len(str(told.value).splitlines()) == 1


def test_our_own_errors_and_interruptions_pass():
    for passing in (SettingError("as it is"), InputWarning("so"), KeyboardInterrupt()):
        with (
            pytest.raises(type(passing)) as told,
            reading.failures_as(lambda why: InputError(why)),
        ):
            raise passing
        assert told.value is passing


def test_the_limit_is_a_setting(monkeypatch):
    monkeypatch.setenv("PREDDIFF_MAX_READ_GIB", "8")
    assert reading.memory_limit() == 8 << 30
    for text in ("lots", "-1", "0", "nan", "inf"):
        monkeypatch.setenv("PREDDIFF_MAX_READ_GIB", text)
        with pytest.raises(SettingError, match="expected a number of GiB, e.g. 8"):
            reading.memory_limit()


def test_a_name_that_is_not_utf_8_becomes_text():
    assert reading.display_name(os.fsdecode(b"out/caf\xe9.jpg")) == r"caf\xe9.jpg"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_masks_labels_and_weights_are_plain_files_too(tmp_path, kind):
    def special(name):
        path = tmp_path / name
        os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
        return path

    (tmp_path / "how.json").write_text('{"labels_file": "labels.txt"}')
    if kind == "pipe":  # a link that leads out of the folder is refused for that
        special("labels.txt")
        with pytest.raises(PreddiffError, match="labels.txt: a pipe or a device"):
            load_model(nn.Flatten().eval(), preprocess=tmp_path / "how.json")
    for name in ("mask.png", "mask.nii", "mask.nii.gz", "mask.mgz", "mask.img"):
        with pytest.raises(PreddiffError, match=f"{name}: a pipe or a device"):
            open_mask(special(name))


def small_but_large(path):
    """Write an archive that holds 128 MiB of zeros, in arrays with right headers."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 23,)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            with archive.open(f"{number}.npy", "w") as file:
                file.write(header.getvalue())
                for _ in range(64):
                    file.write(bytes(1 << 20))


@pytest.mark.parametrize("name", ["model.skops", "sampler.npz"])
def test_a_small_archive_that_unpacks_to_much_is_refused(tmp_path, name, monkeypatch):
    small_but_large(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 200_000
    monkeypatch.setenv("PREDDIFF_MAX_READ_GIB", "0.1")
    monkeypatch.setattr(np, "load", None)  # not an array of it is read
    with pytest.raises(PreddiffError, match="reading it would take 0.1 GiB of memory"):
        READERS[name](tmp_path / name)


def test_a_small_result_that_unpacks_to_much_is_refused(tmp_path):
    folder = tmp_path / "a.zarr" / "relevance"
    folder.mkdir(parents=True)
    (tmp_path / "a.zarr" / ".zattrs").write_text('{"preddiff_format": 1}')
    metadata = {"shape": [1 << 28], "chunks": [1 << 28], "dtype": "<f8", "filters": None,
                "compressor": {"id": "zlib", "level": 9}}  # fmt: skip
    (folder / ".zarray").write_text(json.dumps(metadata))
    with pytest.raises(PreddiffError, match="reading it would take 6.0 GiB of memory"):
        store.load(tmp_path / "a.zarr")
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(8)) + packer.flush()
    (folder / ".zarray").write_text(json.dumps(metadata | {"shape": [9], "chunks": [9]}))
    (folder / "0").write_bytes(packed)
    with pytest.raises(PreddiffError, match="relevance/0: unpacks to more than its 72 bytes"):
        store.load(tmp_path / "a.zarr")
