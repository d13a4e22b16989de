"""Resizing, cropping and normalisation, held against torchvision."""

import numpy as np
import pytest
import torch
from PIL import Image

from preddiff.errors import InputError
from preddiff.models.networks.preprocessing import Preprocessing


def test_short_side_and_centre_crop():
    picture = Image.new("RGB", (60, 40))
    picture.paste((255, 0, 0), (20, 10, 40, 30))  # what a centre crop of half the side keeps
    how = Preprocessing(size=(20, 20), short_side=40)
    np.testing.assert_array_equal(how.prepare(picture)[0], np.ones((20, 20)))
    np.testing.assert_array_equal(how.prepare(picture)[1], np.zeros((20, 20)))


@pytest.mark.parametrize("size", [(320, 427), (500, 331), (300, 300), (224, 1000)])
def test_it_is_what_torchvision_does(rng, size):
    from torchvision import transforms

    pixels = rng.integers(0, 256, size=(*size[::-1], 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    bicubic = transforms.InterpolationMode.BICUBIC
    theirs = transforms.CenterCrop(224)(transforms.Resize(256, bicubic)(picture))
    ours = Preprocessing(size=(224, 224), short_side=256, interpolation="bicubic")
    np.testing.assert_allclose(
        ours.prepare(picture), np.asarray(theirs).transpose(2, 0, 1) / 255, atol=1e-6
    )


def test_up_stays_up_and_left_stays_left():
    picture = Image.new("RGB", (300, 200))
    picture.putpixel((80, 20), (255, 255, 255))
    prepared = Preprocessing(size=(100, 150)).prepare(picture)
    assert np.unravel_index(prepared[0].argmax(), (100, 150)) == (10, 40)


def test_normalise(rng):
    x = torch.rand(2, 3, 4, 4)
    how = Preprocessing(mean=(104, 117, 123), std=(1, 2, 3), scale=255, bgr=True)
    expected = 255 * x[:, [2, 1, 0]] - torch.tensor([104, 117, 123])[:, None, None]
    expected = expected / torch.tensor([1, 2, 3])[:, None, None]
    torch.testing.assert_close(how.normalise(x), expected)
    np.testing.assert_allclose(how.input_mean * 255, [123, 117, 104])


def test_channels_go_last_where_the_network_wants_them_there():
    x = torch.rand(2, 3, 4, 5)
    moved = Preprocessing(scale=255, channels_last=True).normalise(x)
    assert moved.shape == (2, 4, 5, 3)
    torch.testing.assert_close(moved[1, 2, 3], 255 * x[1, :, 2, 3])
    assert moved.is_contiguous()  # as onnxruntime is handed it


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(InputError, match="a short side of 10 leaves less than the 20×20"):
        Preprocessing(size=(20, 20), short_side=10).prepare(Image.new("RGB", (30, 30)))


@pytest.mark.parametrize("size", [(30, 30), (61, 20), (20, 61), (7, 3)])
@pytest.mark.parametrize("wanted", [(12, 20), (20, 12)])
def test_a_picture_covers_an_input_that_is_no_square(size, wanted):
    """Its own proportions are kept, and no more of it is cut off than there has to be."""
    how = Preprocessing(size=wanted, short_side=12)
    assert how.prepare(Image.new("RGB", size)).shape == (3, *wanted)
    left, top, width, height = how.box(*size)
    assert height / width == pytest.approx(wanted[0] / wanted[1], rel=0.1)
    assert min(left, top) == pytest.approx(0, abs=0.51)
    assert width > 0.9 * size[0] or height > 0.9 * size[1]


@pytest.mark.parametrize("size", [(90, 60), (61, 95), (40, 40)])
@pytest.mark.parametrize("short_side", [None, 25])
def test_the_box_is_where_the_network_looks(size, short_side):
    """A picture whose colours say where a pixel is, from 0 to 1 across and down."""
    wide, high = size
    across, down = np.meshgrid((np.arange(wide) + 0.5) / wide, (np.arange(high) + 0.5) / high)
    how = Preprocessing(size=(20, 20), channels=1, short_side=short_side)
    left, top, width, height = how.box(wide, high)
    middles = (np.arange(20) + 0.5) / 20
    for axis, places in enumerate((across, down)):
        seen = how.prepare(Image.fromarray(places.astype(np.float32)))[0]
        begin, length, whole = ((left, width, wide), (top, height, high))[axis]
        expected = (begin + middles * length) / whole
        found = seen.mean(axis=0) if axis == 0 else seen.mean(axis=1)
        # Rims aside, where a filter has nothing to reach across.
        np.testing.assert_allclose(found[2:-2], expected[2:-2], atol=2e-3)
    assert Preprocessing().box(wide, high) == (0, 0, wide, high)
