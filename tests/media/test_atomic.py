"""Files and folders appear complete or not at all."""

import errno
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from preddiff.errors import ResultError
from preddiff.media import atomic
from preddiff.media.atomic import atomic_write, check_folder


def test_a_file_appears_when_the_block_ends_well(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as written:
        written.write_text("first")
        assert not path.exists()
    with atomic_write(path) as written:
        written.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt])
def test_what_interrupts_the_block_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def stumble():
        with atomic_write(path) as written:
            written.write_text("half")
            raise interruption

    with pytest.raises(interruption):
        stumble()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_an_earlier_one(tmp_path):
    path = tmp_path / "result"
    for name in ("first", "second"):
        with atomic_write(path, folder=True) as written:
            written.mkdir()
            (written / name).write_text(name)
    assert [file.name for file in path.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "result").mkdir()
    with (
        pytest.raises(ResultError, match="is a folder, expected the name of a file"),
        atomic_write(tmp_path / "result"),
    ):
        pass


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ResultError, match="cannot be written .*; choose another folder"),
        atomic_write(tmp_path / "file" / "a.txt"),
    ):
        pass
    with pytest.raises(ResultError, match="not a folder that can be written"):
        check_folder(tmp_path / "file" / "below")
    check_folder(tmp_path / "new" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def put(path, text):
    """Write a folder that holds one file."""
    with atomic_write(path, folder=True) as written:
        written.mkdir()
        (written / "text").write_text(text)


def fail_at(monkeypatch, number, error):
    """Let a certain renaming, counted from 1, fail with an error."""
    calls = itertools.count(1)

    def wrapped(function):
        def call(*arguments):
            if next(calls) == number:
                raise error
            return function(*arguments)

        return call

    monkeypatch.setattr(atomic, "exchange", wrapped(atomic.exchange))
    monkeypatch.setattr(os, "replace", wrapped(os.replace))


@pytest.mark.parametrize("one_step", [True, False])
@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), OSError(errno.ENOTEMPTY, "taken")]
)
def test_an_interrupted_replace_keeps_the_old_result_or_the_new(
    tmp_path, monkeypatch, error, number, one_step
):
    path = tmp_path / "result"
    put(path, "old")
    if not one_step:
        monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    fail_at(monkeypatch, number, error)
    outcome = "new"
    try:
        put(path, "new")
    except (KeyboardInterrupt, ResultError):
        outcome = "old"
    assert (path / "text").read_text() == outcome
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, sys
from preddiff.media import atomic
from pathlib import Path

class Dying:
    calls = 0
    def __init__(self, function): self.function = function
    def __call__(self, *arguments):
        Dying.calls += 1
        if Dying.calls == int(sys.argv[2]):
            os._exit(9)
        return self.function(*arguments)

atomic.exchange = Dying(lambda *_: False)
os.replace = Dying(os.replace)
atomic.staging.clear = Dying(atomic.staging.clear)
with atomic.atomic_write(sys.argv[1], folder=True) as written:
    written.mkdir()
    (written / "text").write_text("new")
"""


@pytest.mark.parametrize("call", range(1, 5))
def test_what_a_kill_leaves_is_cleaned_at_the_next_write(tmp_path, call):
    path, other = tmp_path / "result", tmp_path / "other"
    put(path, "old")
    killed = subprocess.run([sys.executable, "-c", KILLED, path, str(call)], check=False)
    assert killed.returncode == 9
    assert len(list(tmp_path.glob(".preddiff.*"))) == 1
    with atomic_write(other) as written:
        written.write_text("")
    assert (path / "text").read_text() == ("new" if call == 4 else "old")
    assert sorted(tmp_path.iterdir()) == [other, path]


KILLED_WHILE_IT_WRITES = """
import os, sys
from preddiff.media.atomic import atomic_write

with atomic_write(sys.argv[1]) as written:
    written.write_text("half")
    os._exit(9)
"""


@pytest.mark.parametrize("name", ["cat.png", "cat.html", "scan.nii.gz", "mine.skops", "mine.npz"])
def test_a_kill_while_a_file_is_written_leaves_the_old_one(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_IT_WRITES, path], check=False)
    assert killed.returncode == 9
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    with atomic_write(path) as written:
        written.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_of_a_file_that_several_programs_write_get_one_whole_file(tmp_path):
    path = tmp_path / "cat.html"
    texts = [letter * 200_000 for letter in "abc"]

    def write(text):
        for _ in range(20):
            with atomic_write(path) as written:
                written.write_text(text)

    write(texts[0])
    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_program_writes_at_the_moment_is_left_alone(tmp_path):
    with atomic_write(tmp_path / "slow") as slow:
        slow.write_text("slow")
        for number in range(3):
            put(tmp_path / "fast", str(number))
    assert (tmp_path / "slow").read_text() == "slow"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_only_looks_like_a_leftover_is_left_alone(tmp_path):
    mine = tmp_path / ".preddiff.settings"
    mine.mkdir()
    (mine / "mine.txt").write_text("mine")
    put(tmp_path / "result", "new")
    assert (mine / "mine.txt").read_text() == "mine"


def test_devices_are_never_replaced():
    with pytest.raises(ResultError, match="no plain file"), atomic_write("/dev/null"):
        pass
    assert not Path("/dev/null").is_file()


def test_content_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append((tmp_path / "result").exists()))
    put(tmp_path / "result", "new")
    assert seen == [False, False, True]
