"""Analysis knows only protocols: two functions stand for sampler and network here."""

import numpy as np
import pytest

from preddiff.method.analysis import analyse
from preddiff.method.chunks import Here
from preddiff.method.measures import ActivationDifference
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Adaptive, Interlaced
from preddiff.method.windows import Windows


def draw(windows, first, last):
    """Draws of a window: its number, one more, two more, ..."""
    each = np.arange(first, last)[None, :, None, None, None]
    base = windows.numbers[:, None, None, None, None] + each
    return np.broadcast_to(base, (len(windows), last - first, 1, *windows.size)).astype(np.float32)


def evaluate(starts, draws):
    """Two targets: the draw's value, and the window's row."""
    rows = np.broadcast_to(starts[:, :1], draws.shape[:2])
    return np.stack([draws[:, :, 0, 0, 0], rows], axis=2).astype(np.float64)


WINDOWS = Windows.over((4, 5), 2)


def values(chunk):
    part = WINDOWS.subset(chunk.which)
    return evaluate(part.starts, draw(part, chunk.first, chunk.last))


def run(chunk=5, rounds=(), means=None, after=lambda _current, _visits, _of: False):
    return analyse(
        WINDOWS,
        Here(values),
        np.array([10.0, 1.0]),
        ActivationDifference(),
        Adaptive(WINDOWS, rounds, chunk) if rounds else Interlaced(WINDOWS, 3, chunk),
        means or RunningMeans.empty(2, len(WINDOWS)),
        after_chunk=after,
    )


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
@pytest.mark.parametrize("rounds", [[], [(0, 3)], [(0, 1), (1, 3)], [(0, 2), (2, 3)]])
def test_evidence_is_base_minus_the_mean_of_the_draws(chunk, rounds):
    found = run(chunk, rounds)
    np.testing.assert_array_equal(found.visited, np.arange(12))
    np.testing.assert_allclose(found.evidence[0], 10 - (WINDOWS.numbers + 1))
    np.testing.assert_allclose(found.evidence[1], 1 - WINDOWS.starts[:, 0])
    np.testing.assert_allclose(found.error[0], 1 / np.sqrt(3))
    np.testing.assert_allclose(found.error[1], 0)
    assert found.draws == 36


def test_visits_are_counted_to_the_end():
    counts = []
    run(after=lambda _current, visits, of: counts.append((visits, of)))
    assert counts == [(5, 12), (10, 12), (12, 12)]


def test_it_stops_when_asked_to_and_knows_what_was_visited():
    found = run(after=lambda _current, visits, _of: visits >= 10)
    np.testing.assert_array_equal(found.visited, np.sort(WINDOWS.interlaced[:10]))
    np.testing.assert_array_equal(found.windows.starts, WINDOWS.starts[found.visited])
    assert found.evidence.shape == (2, 10)
    assert found.draws == 30


def test_it_continues_after_what_was_evaluated():
    means = RunningMeans.empty(2, len(WINDOWS))
    run(means=means, after=lambda _current, visits, _of: visits >= 5)
    seen = []
    found = run(means=means, after=lambda _current, visits, _of: seen.append(visits))
    assert seen == [10, 12]
    np.testing.assert_allclose(found.evidence, run().evidence)
