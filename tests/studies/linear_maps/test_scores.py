"""Scores of maps whose truth is known."""

import numpy as np
import pytest

from preddiff.studies.linear_maps import scores

pytest.importorskip("sklearn")


def test_area_under_precision_and_recall(rng):
    truth = np.array([True, False, True, False])
    assert scores.precision_recall_area(np.array([-4.0, 0, 3, 1]), truth) == 1
    found = scores.precision_recall_area(np.array([4.0, -3, 2, 1]), truth)
    assert found == pytest.approx((1 / 1 + 2 / 3) / 2)
    truth = rng.random(20_000) < 0.1
    assert scores.precision_recall_area(rng.normal(size=20_000), truth) == pytest.approx(
        0.1, abs=0.02
    )


def test_share_with_the_right_sign():
    truth = np.array([True, True, True, True, False])
    assert scores.right_sign(np.array([-1.0, -2, 0, 3, -4]), truth, -1) == 0.5


def test_pieces_touch_at_faces():
    values = np.zeros((4, 4, 4))
    values[0, 0, :2] = -5  # one piece
    values[1, 1, 0] = 4  # touches it at an edge only
    values[3, 3, 3] = np.nan
    assert scores.components(values, 3) == 2
    assert scores.components(values, 2) == 1


def test_share_above():
    assert scores.share_above(np.array([-10.0, 1.6, 1.4, 0]), 0.15) == 0.5
