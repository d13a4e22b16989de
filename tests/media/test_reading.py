"""Files from strangers: nothing is waited for, nothing is larger than it may be."""

import os
import struct
import tokenize

import pytest

from preddiff import PreddiffError, load_model, media
from preddiff.classify import ScanTable
from preddiff.errors import InputError, SettingError
from preddiff.media import reading
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
    for passing in (SettingError("as it is"), KeyboardInterrupt()):
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
