"""Pictures in files: nothing is cut off, nothing unsafe is read."""

import numpy as np
import pytest
from PIL import Image

import preddiff
from preddiff.errors import InputWarning
from preddiff.media import images
from preddiff.models.networks.preprocessing import Preprocessing


def test_transparent_pixels_lie_on_white(tmp_path):
    Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    np.testing.assert_array_equal(images.to_array(images.read(tmp_path / "clear.png")), 1)


def test_sixteen_bits_are_not_cut_off(tmp_path):
    Image.fromarray(np.full((2, 2), 32768, dtype=np.uint16)).save(tmp_path / "deep.png")
    picture = images.read(tmp_path / "deep.png")
    np.testing.assert_allclose(images.to_array(picture), 0.5, atol=1e-4)
    resized = Preprocessing(size=(3, 3)).prepare(picture)
    np.testing.assert_allclose(resized, 0.5, atol=1e-4)


def test_resizing_them_may_overshoot(tmp_path, rng):
    """Bicubic weights are negative in places; that is clipped, not held against the file."""
    noise = (65535 * rng.integers(0, 2, size=(40, 40))).astype(np.uint16)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    how = Preprocessing(size=(30, 30), short_side=30, interpolation="bicubic")
    resized = how.prepare(images.read(tmp_path / "noise.png"))
    assert (resized.min(), resized.max()) == (0, 1)


def test_floats_are_taken_as_they_are_or_refused(tmp_path):
    Image.fromarray(np.full((2, 2), 0.25, dtype=np.float32)).save(tmp_path / "float.tif")
    picture = images.read(tmp_path / "float.tif")
    np.testing.assert_array_equal(Preprocessing(size=(3, 3)).prepare(picture), 0.25)
    Image.fromarray(np.full((2, 2), 255, dtype=np.float32)).save(tmp_path / "large.tif")
    with pytest.raises(preddiff.PreddiffError, match="floats from 255 to 255: expected 0 to 1"):
        images.to_array(images.read(tmp_path / "large.tif"))
    with pytest.raises(preddiff.PreddiffError, match="32-bit integers"):
        images.to_array(Image.new("I", (2, 2)))


def test_a_damaged_picture(tmp_path):
    Image.new("RGB", (50, 50), "red").save(tmp_path / "whole.png")
    cut = (tmp_path / "whole.png").read_bytes()[:80]
    (tmp_path / "cut.png").write_bytes(cut)
    with pytest.raises(preddiff.PreddiffError, match="the picture is damaged"):
        images.read(tmp_path / "cut.png")


def test_a_decompression_bomb(tmp_path, monkeypatch):
    Image.new("RGB", (50, 50)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(preddiff.PreddiffError, match="too large to be safe"):
        images.read(tmp_path / "bomb.png")


def test_a_picture_of_12_bits_in_16_is_told():
    dark = Image.fromarray(np.full((4, 4), 4000, dtype=np.uint16))
    with pytest.warns(InputWarning, match="no value above 4000: white counts as 65535"):
        images.to_array(dark)
