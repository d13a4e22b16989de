"""XAI-TRIS: what tells the classes apart lies where the truth says, as faint as published."""

import numpy as np
import pytest
from scipy import ndimage

from preddiff.datasets.xai_tris import BACKGROUNDS, SCENARIOS, xai_tris
from preddiff.errors import SettingError

T = {(1, 1), (2, 1), (2, 2), (3, 1)}
L = {(4, 5), (5, 5), (6, 5), (6, 6)}
CASES = [(s, b) for s in SCENARIOS for b in BACKGROUNDS]


def pixels(mask):
    return {(int(y), int(x)) for y, x in np.argwhere(mask)}


@pytest.mark.parametrize(("scenario", "background"), CASES)
def test_pictures_are_balanced_and_fill_the_range(scenario, background):
    data = xai_tris(scenario, background, 400)
    assert data.pictures.shape == (400, 1, 8, 8)
    assert data.pictures.dtype == np.float32
    assert np.abs(data.pictures - 0.5).max() == pytest.approx(0.5)
    assert data.labels.tolist() == [0, 1] * 200


@pytest.mark.parametrize(("scenario", "background"), CASES)
def test_the_truth_is_both_places_or_the_tetromino_that_is_there(scenario, background):
    data = xai_tris(scenario, background, 1000)
    if scenario == "rigid":
        assert set(data.truth.sum(axis=(1, 2))) == {4}
        assert all(ndimage.label(each)[1] == 1 for each in data.truth)
        assert data.truth.any(axis=0).all()
    else:
        assert all(pixels(each) == T | L for each in data.truth)


def test_turned_tetrominoes_keep_their_class():
    data = xai_tris("rigid", "white", 200)
    # A T has a pixel with three neighbours, an L has none.
    cross = ndimage.generate_binary_structure(2, 1)
    count = [
        ndimage.convolve(each.astype(int), cross.astype(int), mode="constant").max()
        for each in data.truth
    ]
    assert np.array_equal(np.array(count) == 4, data.labels == 0)


def test_the_signal_is_as_strong_as_published():
    """α / ‖S‖ over (1 - α) / ‖B‖ for each pixel: 4 of 64 are signal, so √16 α / (1 - α)."""
    data = xai_tris("linear", "white", 20_000)
    values = data.pictures[:, 0] - 0.5
    difference = values[data.labels == 0].mean(axis=0) - values[data.labels == 1].mean(axis=0)
    noise = values[:, 0, 0].std()
    expected = np.zeros((8, 8))
    for place, sign in ((T, 1), (L, -1)):
        for pixel in place:
            expected[pixel] = sign * 4 * 0.18 / 0.82
    assert difference / noise == pytest.approx(expected, abs=0.06)


def test_multiplied_noise_is_weaker_where_the_tetromino_is():
    data = xai_tris("multiplicative", "white", 20_000)
    spread = data.pictures[data.labels == 1, 0].std(axis=0)
    weak = np.zeros((8, 8), dtype=bool)
    weak[tuple(zip(*L, strict=True))] = True
    assert spread[weak] / spread[~weak].mean() == pytest.approx(np.full(4, 1 - 0.7), abs=0.02)


def test_neither_place_alone_tells_the_classes_of_xor():
    data = xai_tris("xor", "white", 20_000)
    values = data.pictures[:, 0] - 0.5
    t, corner = values[:, 2, 1], values[:, 5, 5]
    for label, sign in ((0, 1), (1, -1)):
        some = data.labels == label
        assert abs(t[some].mean()) < 0.05 * t.std()
        assert np.sign(np.corrcoef(t[some], corner[some])[0, 1]) == sign


def test_correlated_noise_is_smooth():
    def roughness(background):
        values = xai_tris("linear", background, 400).pictures
        return np.diff(values, axis=-1).std() / values.std()

    assert roughness("correlated") < 0.3 * roughness("white")


def test_pictures_follow_from_their_seed():
    first, again, other = (xai_tris("rigid", "white", 20, seed=s).pictures for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_large_pictures_have_large_soft_tetrominoes(scenario):
    data = xai_tris(scenario, "white", 4, side=64)
    assert data.pictures.shape == (4, 1, 64, 64)
    each = 4 * (4 if scenario == "rigid" else 8) ** 2 * (1 if scenario == "rigid" else 2)
    assert (data.truth.sum(axis=(1, 2)) > each).all()
    assert (data.truth.sum(axis=(1, 2)) < 3 * each).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenario": "or"}, "scenario='or': expected one of linear, multiplicative, rigid, xor"),
        ({"background": "black"}, "background='black': expected one of white, correlated"),
        ({"side": 16}, "side=16: expected one of 8, 64"),
        ({"count": 0}, "count=0, seed=0: expected at least 1, and at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(SettingError) as caught:
        xai_tris(**{"scenario": "linear", "background": "white", **settings})
    assert str(caught.value) == message
