"""Analysis knows only protocols: two functions stand for sampler and network here."""

import numpy as np
import pytest

from preddiff.analysis import analyse
from preddiff.evidence import ActivationDifference
from preddiff.windows import Windows


def draw(windows):
    """Three draws per window: its number, one more and two more."""
    base = windows.numbers[:, None, None, None, None] + np.arange(3)[None, :, None, None, None]
    return np.broadcast_to(base, (len(windows), 3, 1, *windows.size)).astype(np.float32)


def evaluate(starts, draws):
    """Two targets: the draw's value, and the window's row."""
    return np.stack([draws[:, 0, 0, 0], starts[:, 0]], axis=1).astype(np.float64)


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_evidence_is_base_minus_the_mean_of_the_draws(chunk):
    windows = Windows.over((4, 5), 2)
    evidence, error = analyse(
        windows, draw, evaluate, np.array([10.0, 1.0]), ActivationDifference(), chunk=chunk
    )
    np.testing.assert_allclose(evidence[0], 10 - (windows.numbers + 1))
    np.testing.assert_allclose(evidence[1], 1 - windows.starts[:, 0])
    np.testing.assert_allclose(error[0], 1 / np.sqrt(3))
    np.testing.assert_allclose(error[1], 0)


def test_report_counts_windows_to_the_end():
    windows, told = Windows.over((4, 5), 2), []
    analyse(
        windows,
        draw,
        evaluate,
        np.zeros(2),
        ActivationDifference(),
        chunk=5,
        report=lambda done, of: told.append((done, of)),
    )
    assert told == [(5, 12), (10, 12), (12, 12)]
