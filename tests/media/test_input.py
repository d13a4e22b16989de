"""What a caller gives is opened once, named and hashed."""

import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import preddiff
from preddiff import media
from preddiff.errors import InputError
from preddiff.media.input import Input, as_pixels
from preddiff.models import Linear


@pytest.fixture
def picture(rng):
    return Image.fromarray(rng.integers(0, 255, (12, 10, 3), dtype=np.uint8))


@pytest.fixture
def scan(rng, tmp_path):
    path = tmp_path / "head.nii"
    values = rng.random((5, 6, 7), dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), path)
    return path


def test_a_picture_keeps_its_pixels_for_the_model_to_resize(picture, tmp_path):
    picture.save(tmp_path / "cat.png")
    for source, name in ((picture, "image"), (tmp_path / "cat.png", "cat.png")):
        opened = media.open(source)
        assert (opened.name, opened.grid, opened.is_volume) == (name, None, False)
        assert opened.values.size == (10, 12)


def test_a_file_and_its_content_have_one_hash(picture, scan, tmp_path):
    picture.save(tmp_path / "cat.png")
    assert media.open(tmp_path / "cat.png").sha256 == media.open(picture).sha256
    assert media.open(scan).sha256 == media.open(nibabel.load(scan)).sha256


def test_the_hash_follows_values_and_shape():
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    one = media.open(values).sha256
    assert media.open(values.astype(np.float64)).sha256 == one
    assert media.open(values.reshape(1, 4, 3)).sha256 != one
    assert media.open(values + 1).sha256 != one


def test_an_orientation_tag_counts_as_its_pixels_do(picture, tmp_path):
    exif = picture.getexif()
    exif[274] = 3  # upside down
    picture.save(tmp_path / "turned.png", exif=exif)
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    assert media.open(tmp_path / "turned.png").sha256 == media.open(turned).sha256


def test_scans_and_arrays_of_four_axes_are_volumes(scan, rng):
    opened = media.open(scan)
    assert (opened.name, opened.is_volume, opened.values.shape) == ("head.nii", True, (1, 7, 6, 5))
    assert opened.grid.voxel_size == (2.0, 2.0, 2.0)
    assert media.open(nibabel.load(scan)).name == "scan"
    array = media.open(rng.random((1, 4, 5, 6)))
    assert (array.name, array.is_volume, array.grid) == ("array", True, None)


def test_an_input_is_returned_as_it_is(picture):
    opened = media.open(picture)
    assert media.open(opened) is opened
    assert isinstance(opened, Input)


def test_arrays_are_copied(rng):
    values = rng.random((3, 8, 8)).astype(np.float32)
    copy = as_pixels(values)
    copy[:] = 0
    assert values.any()


def test_bad_arrays_are_refused_at_once(rng):
    for array, expected in (
        (np.zeros((8, 8, 3), dtype=np.uint8), "for 8-bit pictures pass PIL.Image.fromarray"),
        (np.zeros((3, 8, 8), dtype=np.uint8), "for 8-bit pictures pass array / 255"),
        (np.zeros((1, 3, 8, 8), dtype=np.uint8), r"for 8-bit pictures pass array\[0\] / 255"),
        (np.zeros((1, 8, 8, 3), dtype=np.uint8), r"pass PIL.Image.fromarray\(array\[0\]\)"),
        (np.zeros((8, 8)), "a grey picture"),
        (np.zeros((8, 8)), "a signal .* is preddiff.media.Signal"),
        ((np.zeros((3, 8, 8)), np.zeros(4)), "2 inputs in a tuple: .*models.one_input"),
        (pd.DataFrame({"a": [1.0, 2.0]}), r"expected a row; take one, table.iloc\[0\]"),
        ({"a": 1.0}, "an input of type dict: expected a path"),
        (np.zeros((8, 8, 3)), "looks like"),
        (np.full((3, 8, 8), np.nan), "NaN or infinite"),
    ):
        with pytest.raises(InputError, match=expected):
            media.open(array)


def test_a_volume_may_be_as_thin_as_colours_are_many():
    for shape in ((1, 6, 5, 4), (1, 8, 8, 3)):
        assert media.open(np.zeros(shape)).values.shape == shape


def test_explain_reads_a_file_once(scan, monkeypatch):
    opened = []
    load = nibabel.load
    monkeypatch.setattr(nibabel, "load", lambda path, **more: opened.append(path) or load(path))
    model = Linear(np.ones((1, 7, 6, 5)), 0.0)
    several = preddiff.compare(model, scan, window=[2, 3], sampler="constant:0")
    assert len(several) == 2
    assert len(opened) <= 1
    assert several[0].provenance["input_sha256"] == media.open(scan).sha256
