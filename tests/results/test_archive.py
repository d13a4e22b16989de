"""Results in one file, and files that only look like one."""

import stat
import zipfile

import pytest
import xarray as xr

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError


@pytest.fixture
def explanation(rng):
    picture = rng.random((3, 12, 10))
    return preddiff.explain(Softmax(picture.shape), picture, window=4, stride=3, samples=3)


def test_it_comes_back_and_is_replaced(tmp_path, explanation):
    path = tmp_path / "a.zarr.zip"
    for _ in range(2):
        assert preddiff.save(explanation, path) == path
    assert [file.name for file in tmp_path.iterdir()] == ["a.zarr.zip"]
    folder = preddiff.load(preddiff.save(explanation, tmp_path / "a.zarr"))
    xr.testing.assert_identical(preddiff.load(path).data, folder.data)


def test_nothing_else_is_replaced(tmp_path, explanation):
    path = tmp_path / "a.zarr.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dear.txt", "dear")
    with pytest.raises(ResultError, match="exists and is not a result"):
        preddiff.save(explanation, path)
    with pytest.raises(ResultError, match="not a result of preddiff"):
        preddiff.load(path)


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "a/../../outside", "a/b/c", "a\\b", "C:outside", "a/"]
)
def test_members_of_no_result_are_refused(tmp_path, explanation, name):
    path = preddiff.save(explanation, tmp_path / "a.zarr.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    before = set(tmp_path.parent.rglob("outside"))
    with pytest.raises(ResultError, match="is no file of a result") as refused:
        preddiff.load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert set(tmp_path.parent.rglob("outside")) == before


def test_links_bombs_and_damage_are_refused(tmp_path, explanation):
    path = preddiff.save(explanation, tmp_path / "a.zarr.zip")
    whole = path.read_bytes()
    link = zipfile.ZipInfo("relevance/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ResultError, match="is no file of a result"):
        preddiff.load(path)
    path.write_bytes(whole)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("relevance/9.9.9", "w") as file,
    ):
        for _ in range(1700):  # MiB, of zeros
            file.write(bytes(1 << 20))
    with pytest.raises(ResultError, match="memory"):
        preddiff.load(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultError, match="not a result"):
        preddiff.load(path)
