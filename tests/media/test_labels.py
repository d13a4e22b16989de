"""Labels of regions are opened once, and laid on the input that they are for."""

import sys

import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputError, SettingError
from preddiff.media.input import Input, open_input
from preddiff.media.labels import Boxes, Superpixels, on_input, open_regions, superpixels

SIDES = 30, 40  # y, x


def prepare(image):
    """Half of the size, as a network's preprocessing may."""
    small = image.convert("RGB").resize((20, 15), Image.Resampling.BILINEAR)
    return (np.asarray(small).transpose(2, 0, 1) / 255).astype(np.float32)


@pytest.fixture
def picture(rng):
    return Image.fromarray(rng.integers(0, 255, (*SIDES, 3), dtype=np.uint8))


@pytest.fixture
def drawn():
    labels = np.zeros(SIDES, dtype=np.uint8)
    labels[:15], labels[15:, 20:] = 5, 200
    return labels


def laid(path, picture, **settings):
    opened = open_regions(path)
    asked = {"resampled": False, **settings}
    return on_input(opened, open_input(picture), prepare(picture), prepare, **asked)


def test_numbers_grids_and_text():
    assert open_regions(50) == open_regions("50") == open_regions(np.int64(50)) == Superpixels(50)
    assert open_regions((4, 3)) == open_regions("4x3") == open_regions([4, 3]) == Boxes((4, 3))
    opened = open_regions("50")
    assert open_regions(opened) is opened
    for wrong in (0, -3, 2.5, True, (), (2, 0)):
        with pytest.raises(SettingError, match="expected a number of superpixels of at least 1"):
            open_regions(wrong)


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_a_picture_of_labels_is_prepared_as_the_input_was(mode, drawn, picture, tmp_path):
    if mode == "P":
        image = Image.new("P", SIDES[::-1])
        image.putpalette(list(range(256)) * 3)
        image.putdata(drawn.ravel().tolist())
    else:
        image = Image.fromarray(drawn if mode == "L" else drawn.astype(np.uint16))
    assert image.mode == mode
    image.save(tmp_path / "labels.png")
    found = laid(tmp_path / "labels.png", picture)
    assert set(np.unique(found)) == {0, 5, 200}
    np.testing.assert_array_equal(found[:7], 5)
    np.testing.assert_array_equal(found[8:, 10:], 200)
    np.testing.assert_array_equal(found[8:, :10], 0)


def test_labels_are_turned_as_the_picture_is_shown(drawn, picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(drawn).save(tmp_path / "labels.png", exif=exif)
    found = laid(tmp_path / "labels.png", picture)
    np.testing.assert_array_equal(found[8:], 5)
    np.testing.assert_array_equal(found[:7, :10], 200)


def test_pictures_in_colour_and_of_another_size_are_refused(drawn, picture, tmp_path):
    picture.save(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"colour\.png: a picture in colour: expected one number"):
        laid(tmp_path / "colour.png", picture)
    Image.fromarray(drawn[1:]).save(tmp_path / "small.png")
    with pytest.raises(InputError, match=r"small\.png: has 40×29 pixels, expected those of"):
        laid(tmp_path / "small.png", picture)
    with pytest.raises(InputError, match=r"labels of shape \(3, 3\): expected that of the input"):
        laid(np.ones((3, 3)), picture)


def test_superpixels_follow_edges(rng):
    picture = np.full((3, 60, 60), 0.2, dtype=np.float32)
    picture[0, :, 27:] = 0.9
    picture += rng.normal(0, 0.02, picture.shape).astype(np.float32)
    for inputs in (picture, picture[:1], 1000 * np.stack([picture[:1]] * 8, axis=1)):
        found = superpixels(inputs, 12)
        assert found.shape == inputs.shape[1:]
        assert 4 <= len(np.unique(found)) <= 24
        assert found.min() == 1
        right = np.broadcast_to(np.arange(60) >= 27, found.shape)
        mixed = [right[found == n].mean() for n in np.unique(found)]
        assert all(share < 0.1 or share > 0.9 for share in mixed)


def test_superpixels_without_scikit_image_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(SettingError, match=r"regions=12: superpixels need scikit-image; pip"):
        superpixels(np.zeros((3, 8, 8), dtype=np.float32), 12)


def test_an_opened_file_is_returned_as_it_is(drawn, tmp_path):
    Image.fromarray(drawn).save(tmp_path / "labels.png")
    opened = open_regions(tmp_path / "labels.png")
    assert isinstance(opened, Input)
    assert open_regions(opened) is opened
