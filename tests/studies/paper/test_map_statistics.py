"""Statistics of maps as pure functions, on maps whose noise is known."""

import numpy as np
import pytest

from preddiff.studies.paper import map_statistics


def test_the_share_inside_a_box():
    size = np.zeros((6, 8))
    size[1, 2], size[5, 7], size[0, 0] = 3.0, 1.0, np.nan
    assert map_statistics.share_inside(size, (2, 1, 3, 2)) == 0.75
    assert map_statistics.share_inside(size, (0, 0, 8, 6)) == 1


def test_agreement_is_the_mean_correlation(rng):
    one = rng.normal(size=(5, 5))
    for maps, expected in ([one, 2 * one, one], 1), ([one, -one, one], -1 / 3):
        assert map_statistics.agreement(np.stack(maps), np.stack(maps)) == pytest.approx(expected)
    with_gap = np.stack([one, one])
    with_gap[:, 0, 0] = np.nan
    assert map_statistics.agreement(with_gap, np.stack([one, one])) == pytest.approx(1)


def test_noise_weakens_no_agreement(rng):
    """Correlated by 0.6, under noise as strong as the maps and shared by them in each run."""
    first, other = rng.normal(size=(2, 300, 300))
    maps = np.stack([first, 0.6 * first + 0.8 * other])
    one, two = (maps + rng.normal(size=(1, 300, 300)) for _ in range(2))
    assert map_statistics.agreement(one, two) == pytest.approx(0.6, abs=0.02)
    assert np.corrcoef(one.reshape(2, -1))[0, 1] > 0.75  # what one run alone would say


def test_maps_that_are_nothing_but_noise_do_not_agree(rng):
    one = rng.normal(size=(2, 40, 40))
    assert np.isnan(map_statistics.agreement(one, -one))


def test_roughness_of_a_chess_board_and_of_a_plain(rng):
    board = np.indices((6, 6)).sum(axis=0) % 2 * 2.0 - 1
    assert map_statistics.roughness(board, board) == 2
    assert map_statistics.roughness(np.ones((6, 6)), np.ones((6, 6))) == 0
    slope = np.linspace(-1, 1, 400) * np.ones((400, 1))
    noisy = [slope + rng.normal(size=slope.shape) for _ in range(2)]
    assert map_statistics.roughness(*noisy) < 0.2  # of one run alone it would be 1.2
    assert map_statistics.roughness(noisy[0], noisy[0]) > 1


def test_the_channels_that_have_half_of_the_activation():
    assert map_statistics.half_share(np.array([0.0, 8, 0, 0])) == 0.25
    assert map_statistics.half_share(np.ones(10)) == 0.5
