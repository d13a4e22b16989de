"""The least of several rounds, taken in turn."""

from preddiff.studies.benchmark import timing


def test_tasks_alternate_and_the_first_round_does_not_count(monkeypatch):
    now, order = 0.0, []
    durations = {"a": iter([0.1, 5, 3, 4]), "b": iter([9, 2, 1, 7])}

    def task(name):
        def work():
            nonlocal now
            order.append(name)
            now += next(durations[name])

        return work

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now)
    a, b = timing.least_seconds(task("a"), task("b"))
    assert "".join(order) == "abababab"
    assert abs(a - 3) < 1e-9
    assert abs(b - 1) < 1e-9
