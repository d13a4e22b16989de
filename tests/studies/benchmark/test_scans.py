"""The table of scans, on tiny ones."""

import math

import pytest

from preddiff.studies.benchmark import scans


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(scans, "_SHAPE", (1, 9, 10, 9))
    monkeypatch.setattr(scans, "_CELLS", (2, 2, 2))
    monkeypatch.setattr(scans, "_POOL_SIZE", 12)
    monkeypatch.setattr(scans, "_FITTED_VOLUMES", 2)
    monkeypatch.setattr(scans, "_MASK_LENGTH", 3)


def test_every_sampler_has_a_row_as_wide_as_the_header(tiny):
    rows = list(scans.measure_scans())
    assert [row.name.split(",")[0] for row in rows] == [
        "conditional", "conditional", "marginal", "cohort", "located",
    ]  # fmt: skip
    head, rule = scans.SCAN_TABLE_HEADER.splitlines()
    for row in rows:
        assert str(row).count("|") == head.count("|") == rule.count("|")
        assert row.windows == 7 * 8 * 7
        assert min(row.first, row.again, row.drawn) > 0


def test_fitting_is_stated_for_a_volume_and_a_thousand_cells(tiny, monkeypatch):
    monkeypatch.setattr(scans, "_PATCH", 3)
    monkeypatch.setattr(scans, "_MASK_LENGTH", 6)
    times = iter([10.0, 12.0])
    monkeypatch.setattr(scans.time, "process_time", lambda: next(times))
    fitted = []
    real = scans.Located.fit
    monkeypatch.setattr(
        scans.Located, "fit", lambda *a, **k: fitted.append(real(*a, **k)) or fitted[-1]
    )
    assert scans.fitting_seconds() == pytest.approx(1000 * 2.0 / 2 / len(fitted[0].fitted))


def test_memory_is_not_a_number_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "resource", None)
    assert math.isnan(scans._peak_memory())
