"""The time of a draw, before the work starts."""

import numpy as np
import pytest

import preddiff
from preddiff.engines import Dense, cost, seconds_per_draw
from preddiff.method.windows import Windows


def test_cost_is_measured_in_seconds(rng):
    inputs = rng.random((1, 6, 6)).astype(np.float32)
    engine = Dense(preddiff.load_model(lambda x: np.full((len(x), 2), 0.5)), inputs, [0], batch=4)
    draws = rng.random((3, 5, 1, 2, 2)).astype(np.float32)
    assert 0 < seconds_per_draw(engine, Windows.over((6, 6), 2).starts[:3], draws) < 1


class Counting:
    """An engine that keeps the shapes of the draws that it is given."""

    name = "counting"

    def __init__(self, batch):
        self.batch = batch
        self.shapes = []

    def evaluate(self, starts, draws):
        assert len(starts) == len(draws)
        self.shapes.append(draws.shape[:2])
        return np.zeros((*draws.shape[:2], 1))


@pytest.mark.parametrize(
    ("batch", "given", "taken"),
    [(4, (3, 20), (3, 2)), (20, (16, 8), (16, 2)), (2, (16, 8), (2, 2)), (40, (3, 5), (3, 5))],
)
def test_two_full_batches_are_timed_after_two_to_warm_up(batch, given, taken):
    engine = Counting(batch)
    seconds_per_draw(engine, np.zeros((given[0], 2), np.int64), np.zeros((*given, 1, 2, 2)))
    assert engine.shapes == [taken, taken]


def test_engines_take_turns_and_the_least_time_of_each_counts(monkeypatch):
    seconds = {1: [90, 8, 4, 8], 2: [90, 6, 10, 12]}  # of engines by their batch; the first warm up
    now, turns = [0.0], []

    class Slow(Counting):
        def evaluate(self, starts, draws):
            turns.append(self.batch)
            now[0] += seconds[self.batch].pop(0)
            return super().evaluate(starts, draws)

    monkeypatch.setattr(cost.time, "perf_counter", lambda: now[0])
    starts, draws = np.zeros((1, 2), np.int64), np.zeros((1, 9, 1, 2, 2))
    assert cost.least_seconds_per_draw([Slow(1), Slow(2)], starts, draws) == [4 / 2, 6 / 4]
    assert turns == [1, 2] * 4
