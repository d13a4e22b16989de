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


def test_a_picture_never_starts_ghostscript(tmp_path, monkeypatch):
    """EPS is a program; whatever the file is called, and whether ghostscript is there or not."""
    started = []
    monkeypatch.setattr("subprocess.check_call", lambda *command, **how: started.append(command))
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", "gs")
    head = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    for name in ("cat.jpg", "cat.eps"):
        (tmp_path / name).write_bytes(head)
        with pytest.raises(preddiff.PreddiffError, match="not a picture that can be read"):
            images.read(tmp_path / name)
    assert started == []


@pytest.mark.parametrize("kind", ["PSD", "ICNS", "PCX", "TGA", "SGI", "ICO", "DDS"])
def test_decoders_that_hardly_anybody_uses_are_not_reached(tmp_path, kind):
    Image.init()
    if kind in Image.SAVE:
        Image.new("RGB", (32, 32), "red").save(tmp_path / "a.png", format=kind)
    else:
        (tmp_path / "a.png").write_bytes(b"8BPS\x00\x01" + bytes(64))
    with pytest.raises(preddiff.PreddiffError, match="not a picture that can be read"):
        images.read(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "PPM"])
def test_what_people_have_is_read(tmp_path, kind):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "a", format=kind)
    assert images.read(tmp_path / "a").size == (32, 32)


def test_a_small_file_that_takes_all_memory_is_refused_by_its_header(tmp_path, monkeypatch):
    Image.new("1", (9400, 9400)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 2**18
    message = r"9400×9400 pixels: reading it would take 2\.3 GiB .* set PREDDIFF_MAX_READ_GIB"
    with pytest.raises(preddiff.PreddiffError, match=message):
        images.read(tmp_path / "bomb.png")
    monkeypatch.setenv("PREDDIFF_MAX_READ_GIB", "3")
    assert images.read(tmp_path / "bomb.png").size == (9400, 9400)


def test_a_row_of_pixels_does_not_become_gigabytes_when_it_is_resized(tmp_path):
    Image.new("RGB", (40000, 1)).save(tmp_path / "row.png")
    with pytest.raises(preddiff.PreddiffError, match="10240000×256 pixels: reading it would"):
        Preprocessing(size=(224, 224), short_side=256).prepare(images.read(tmp_path / "row.png"))


def test_broken_exif_is_told_in_one_line(tmp_path):
    exif = (
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00"
    )
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    try:
        images.to_array(images.read(tmp_path / "a.jpg"))
    except preddiff.PreddiffError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - or it is read, whichever Pillow
