"""A model on one input: what windows are hidden in, and what is refused."""

import nibabel
import numpy as np
import pytest
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff import media
from preddiff.errors import InputError, SettingError, TargetError
from preddiff.media.mask_files import on_input
from preddiff.models import Linear, load_model
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.settings import PAPER, Settings


def of(model, given, device="cpu", **values):
    opened = media.open(given)
    settings = Settings.of(PAPER, **values).over(volume=opened.is_volume, side=16)
    return subjects.make(load_model(model), opened, settings.question, settings.sampling, device)


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


@pytest.fixture
def scan(rng, tmp_path):
    path = tmp_path / "head.nii"
    nibabel.save(nibabel.Nifti1Image(rng.random((6, 6, 6), dtype=np.float32), np.eye(4)), path)
    return path


def test_windows_are_hidden_in_the_input(picture):
    subject = of(Softmax(picture.shape), picture)
    assert subject.inputs is subject.picture
    assert (subject.axes, subject.valid, subject.on_scan) == (("y", "x"), (0.0, 1.0), False)
    np.testing.assert_array_equal(subject.inputs, picture)


def test_or_in_a_nodes_values(small_network, picture):
    subject = of(small_network, picture, source="2", window=2)
    assert subject.inputs.shape == (6, 8, 8)
    assert subject.picture.shape == picture.shape
    assert subject.valid is None  # nothing is known of the range of hidden values


def test_scans_keep_their_grid(scan):
    subject = of(Linear(np.ones((1, 6, 6, 6)), 0.0), scan)
    assert subject.on_scan
    assert (subject.axes, subject.valid) == (("z", "y", "x"), None)


def test_classes_have_labels_and_hidden_values_do_not(small_network, picture):
    model = load_model(small_network, labels=list("abcd"))
    assert of(model, picture).labels == list("abcd")
    assert of(model, picture, node="3").labels is None
    assert of(model, picture, node="6").labels == list("abcd")


@pytest.mark.parametrize(
    ("values", "error", "expected"),
    [
        ({"resample": True}, SettingError, "resample: is for scans in files; leave it out"),
        ({"source": "a"}, TargetError, "source 'a': .* has no nodes; only networks have"),
        ({"targets": "1:2,3"}, TargetError, "target '1:2,3' is a unit of a hidden node: say which"),
        ({"device": "cuda"}, SettingError, "device='cuda': .* no torch network; choose"),
    ],
)
def test_what_a_model_does_not_have(picture, values, error, expected):
    with pytest.raises(error, match=expected):
        of(Softmax(picture.shape), picture, **values)


def test_a_picture_smaller_than_a_window(small_network):
    with pytest.raises(InputError, match="has 8×6 pixels, less than a window of 10"):
        of(small_network, Image.new("RGB", (8, 6)), window=10)


def test_a_window_of_three_axes_on_a_picture(small_network):
    picture, model = Image.new("RGB", (16, 16)), load_model(small_network, preprocess={})
    with pytest.raises(SettingError, match="has 3 lengths, but the input has 2 dimensions"):
        preddiff.explain(model, picture, window="1x4x4", sampler="constant:0.5")


def test_a_mask_has_the_pictures_size(small_network, tmp_path):
    Image.new("L", (5, 5)).save(tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"mask\.png: has 5×5 pixels, expected .* 16×16"):
        of(
            load_model(small_network, preprocess={}),
            Image.new("RGB", (16, 16)),
            mask=tmp_path / "mask.png",
        )


def test_a_mask_lies_where_it_was_drawn_on_a_turned_photo(tmp_path):
    """Cameras store photos turned, with a note in EXIF; people draw on what they see."""
    photo = Image.new("RGB", (20, 10))  # stored lying; shown standing, 10×20
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(tmp_path / "photo.jpg", exif=exif)
    drawn = np.zeros((20, 10), np.uint8)
    drawn[:4, :4] = 255  # top left, as it is shown
    Image.fromarray(drawn).save(tmp_path / "shown.png")
    Image.fromarray(drawn.T.copy()).save(tmp_path / "stored.png")
    question = Settings.of(mask=str(tmp_path / "shown.png")).question
    source = media.open(tmp_path / "photo.jpg")
    model = load_model(lambda inputs: inputs.mean(axis=(2, 3)))
    mask = on_input(question.opened_mask, source, model.prepare, resampled=False)
    np.testing.assert_array_equal(mask, drawn > 0)
    stored = Settings.of(mask=str(tmp_path / "stored.png")).question.opened_mask
    with pytest.raises(InputError, match="has 20×10 pixels, expected .* 10×20 as it is shown"):
        on_input(stored, source, model.prepare, resampled=False)
