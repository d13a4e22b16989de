"""Several inputs, each with a name of its own."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputError
from preddiff.media import maps
from preddiff.media.grid import Grid
from preddiff.media.listing import find_inputs, is_many, listed
from preddiff.media.names import names_told_apart
from slices import write_series


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


def test_a_folder_holds_pictures_scans_and_series_but_nothing_of_ours(tmp_path, rng):
    picture(tmp_path / "b.PNG")
    picture(tmp_path / "a" / "a.jpg")
    picture(tmp_path / ".hidden.png")
    picture(tmp_path / "out" / "cat.zarr" / "inner.png")
    (tmp_path / "notes.txt").write_text("none")
    Image.new("RGB", (4, 4)).save(tmp_path / "figure.png", pnginfo=signed())
    write_series(tmp_path / "ct", rng.integers(0, 100, size=(3, 4, 5)))
    grid = Grid((3, 4, 5), np.diag([1.0, 1, 1, 1]))
    maps.write(np.ones((3, 4, 5)), grid, tmp_path / "map.nii.gz")
    assert is_many(tmp_path)
    assert not is_many(tmp_path / "ct")
    found = [str(path.relative_to(tmp_path)) for path in find_inputs(tmp_path)]
    assert found == ["a/a.jpg", "b.PNG", "ct"]
    assert [each.name for each in listed([tmp_path])] == ["a/a", "b", "ct"]


def signed():
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Software", "preddiff")
    return text


def test_a_folder_without_inputs_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures or scans in this folder; check the path"):
        listed([tmp_path])


def test_an_input_is_named_once_whatever_leads_to_it(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"b\.png: named twice \(also as .*a\.png\)"):
        listed([tmp_path])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/cat.png", "a/dog.png"], ["cat", "dog"]),
        (["a/cat.png", "a/cat.jpg"], ["cat.png", "cat.jpg"]),
        (["a/cat.png", "b/cat.png", "b/dog.png"], ["a-cat.png", "b-cat.png", "dog"]),
        (["x/a/cat.png", "y/a/cat.png"], ["x-a-cat.png", "y-a-cat.png"]),
        (["Cat.png", "cat.png"], ["Cat.png-1", "cat.png-2"]),
        (["cat.png", "cat.jpg", "other/cat.png.nii"], None),
        (["caf\u00e9.png", "cafe\u0301.png"], None),
    ],
)
def test_names_are_told_apart(paths, names):
    paths = [Path("/", path) for path in paths]
    found = names_told_apart(paths, [path.stem for path in paths])
    assert names is None or found == names
    alike = {unicodedata.normalize("NFC", name).casefold() for name in found}
    assert len(alike) == len(paths)


def test_names_keep_the_folders_that_results_go_to():
    paths = [Path("/in/a/cat.png"), Path("/in/a/cat.jpg")]
    assert names_told_apart(paths, ["a/cat", "a/cat"]) == ["a/cat.png", "a/cat.jpg"]
