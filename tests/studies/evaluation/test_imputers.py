"""What stands where a picture is hidden."""

import builtins

import numpy as np
import pytest

from preddiff import load_model
from preddiff.errors import SamplerError
from preddiff.studies.evaluation.imputers import IMPUTERS, blurred_picture

UNKNOWN = load_model(lambda inputs: inputs.mean(axis=(2, 3)))


@pytest.fixture
def picture(rng):
    return rng.random((3, 20, 24), dtype=np.float32)


@pytest.fixture
def hidden(rng):
    some = rng.random((3, 20, 24)) < 0.5
    some[1], some[2] = False, True
    return some


@pytest.mark.parametrize("name", IMPUTERS)
def test_what_is_visible_stays_exactly_as_it_is(name, picture, hidden):
    variants = IMPUTERS[name](UNKNOWN, picture, hidden)
    assert variants.dtype == np.float32
    visible = np.broadcast_to(~hidden[:, None], variants.shape)
    assert np.array_equal(variants[visible], np.broadcast_to(picture, variants.shape)[visible])
    assert not np.array_equal(variants[0], picture)


def test_grey_is_the_mean_of_the_models_pictures(picture, hidden):
    model = load_model(lambda inputs: inputs.mean(axis=(2, 3)))
    model.mean = np.array([0.1, 0.2, 0.3])
    variants = IMPUTERS["grey"](model, picture, hidden)
    assert variants[2, :, 5, 5] == pytest.approx(model.mean)
    assert (IMPUTERS["grey"](UNKNOWN, picture, hidden)[2] == 0.5).all()


def test_the_blurred_picture_is_smoother_and_has_the_same_mean(picture, hidden):
    blurred = IMPUTERS["blurred"](UNKNOWN, picture, hidden)[2]
    assert np.array_equal(blurred, blurred_picture(picture))
    assert np.abs(np.diff(blurred)).mean() < 0.6 * np.abs(np.diff(picture)).mean()


def test_painting_goes_on_with_what_is_around():
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 24, dtype=np.float32), (3, 20, 24))
    hidden = np.zeros((1, 20, 24), dtype=bool)
    hidden[0, 8:12, 10:14] = True
    painted = IMPUTERS["telea"](UNKNOWN, ramp, hidden)[0]
    assert painted == pytest.approx(ramp, abs=0.1)
    assert not np.array_equal(painted, ramp)


def test_one_channel_is_painted_too(rng):
    picture = rng.random((1, 10, 10), dtype=np.float32)
    hidden = np.zeros((1, 10, 10), dtype=bool)
    hidden[0, 4, 4] = True
    assert IMPUTERS["telea"](UNKNOWN, picture, hidden).shape == (1, 1, 10, 10)


def test_painting_says_what_is_missing(monkeypatch, picture, hidden):
    real = builtins.__import__

    def without_opencv(name, *others):
        if name == "cv2":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_opencv)
    with pytest.raises(SamplerError, match="by 'telea' needs OpenCV: pip install"):
        IMPUTERS["telea"](UNKNOWN, picture, hidden)
