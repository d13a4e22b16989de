"""How far the work is: a bar on terminals, lines now and then in logs."""

import time

import pytest

import preddiff
from conftest import Softmax
from preddiff.pipeline import progress


def test_a_log_gets_a_line_now_and_then(rng, monkeypatch, capsys):
    picture = rng.random((3, 20, 18))
    monkeypatch.setattr(progress, "_FIRST_LINE_AFTER", 0.0)
    preddiff.explain(Softmax(picture.shape), picture, window=10, samples=2, progress=True)
    assert "99 of 99 windows, about 0 s left" in capsys.readouterr().err


def test_its_first_line_comes_soon_and_later_ones_seldom(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.bar("Explaining") as report:
        for second in range(601):
            now[0] = float(second)
            report(second, 600, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("5 of 600 windows, about 9.9 min left")
    assert 9 <= len(lines) <= 15


def test_the_relative_error_stands_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_FIRST_LINE_AFTER", 0.0)
    with progress.bar("Explaining") as report:
        report(0, 10, None)
        report(5, 10, 0.0973)
        report(6, 10, float("inf"))
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("left, relative error 9.7 %")
    assert second.endswith("left")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (40, "40 s"), (270, "4.5 min"), (4320, "72.0 min"), (6000, "1.7 h")],
)
def test_durations_are_as_people_write_them(seconds, text):
    assert progress.duration(seconds) == text


def test_work_is_named_only_if_it_takes_long(monkeypatch, capsys):
    with progress.naming("Reading 3 scans"):
        pass
    monkeypatch.setattr(progress, "_FIRST_LINE_AFTER", 0.0)
    said, end = "", time.monotonic() + 10
    with progress.naming("Fitting"):
        while not said and time.monotonic() < end:
            time.sleep(0.01)
            said = capsys.readouterr().err
    assert said == "Fitting…\n"
