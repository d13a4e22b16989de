"""Files and folders appear complete or not at all."""

import pytest

from preddiff.errors import ResultError
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
