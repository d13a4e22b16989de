"""Facts that are kept between runs."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from preddiff.media import kept

ABOUT = {"model": "sha", "window": (10, 10)}


@pytest.fixture
def at(tmp_path, monkeypatch):
    """The folder of what is kept."""
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_kept_is_found_again_by_the_same_thing_only(at):
    assert kept.read(ABOUT) == {}
    kept.write(ABOUT, {"seconds": 0.5})
    assert kept.read(dict(reversed(ABOUT.items()))) == {"seconds": 0.5}
    assert kept.read({**ABOUT, "window": (9, 9)}) == {}
    kept.write(ABOUT, {"seconds": 0.25})
    assert kept.read(ABOUT) == {"seconds": 0.25}
    assert len(list(at.iterdir())) == 1


@pytest.mark.parametrize("name", ["processor", "cores", "preddiff", "torch"])
def test_another_machine_or_version_finds_nothing(at, monkeypatch, name):
    kept.write(ABOUT, {"seconds": 0.5})
    here = kept._surroundings()
    monkeypatch.setattr(kept, "_surroundings", lambda: {**here, name: "another"})
    assert here[name] != "another"
    assert kept.read(ABOUT) == {}


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[1]", b"{}", b'{"about": 3}', b"[" * 5000, b" " * 100_000]
)
def test_what_is_damaged_or_foreign_is_ignored(at, content):
    kept.write(ABOUT, {"seconds": 0.5})
    (file,) = at.iterdir()
    if content.startswith(b" "):  # what is right, but longer than anything that we wrote
        content = file.read_bytes() + content
    file.write_bytes(content)
    assert kept.read(ABOUT) == {}
    kept.write(ABOUT, {"seconds": 0.25})
    assert kept.read(ABOUT) == {"seconds": 0.25}


def test_a_file_of_something_else_under_its_name_is_ignored(at):
    kept.write(ABOUT, {"seconds": 0.5})
    (file,) = at.iterdir()
    content = json.loads(file.read_text())
    content["about"]["model"] = "another"
    file.write_text(json.dumps(content))
    assert kept.read(ABOUT) == {}


def test_nothing_is_kept_where_nothing_can_be(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for folder in ("", str(tmp_path / "file"), str(tmp_path / "file" / "below")):
        monkeypatch.setenv(kept.FOLDER_VARIABLE, folder)
        kept.write(ABOUT, {"seconds": 0.5})
        assert kept.read(ABOUT) == {}


def test_programs_at_the_same_time_do_not_disturb_each_other(at):
    def work(number):
        kept.write({"model": number % 3}, {"seconds": number})
        return kept.read({"model": number % 3})["seconds"] % 3 == number % 3

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(60)))
    assert {path.suffix for path in at.iterdir()} == {".json"}


def test_the_oldest_are_forgotten(at, monkeypatch):
    monkeypatch.setattr(kept, "_MOST_FILES", 2)
    for number in range(4):
        kept.write({"model": number}, {"seconds": number})
        for file in at.iterdir():
            os.utime(file, (file.stat().st_mtime - 10,) * 2)
    assert [bool(kept.read({"model": number})) for number in range(4)] == [0, 0, 1, 1]


def test_the_folder_is_that_of_the_users_caches(monkeypatch, tmp_path):
    monkeypatch.delenv(kept.FOLDER_VARIABLE)
    monkeypatch.setattr(kept.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept.folder() == tmp_path / "preddiff"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert kept.folder() == Path.home() / ".cache" / "preddiff"
    monkeypatch.setattr(kept.sys, "platform", "darwin")
    assert kept.folder() == Path.home() / "Library" / "Caches" / "preddiff"
