"""The summary of many results, as CSV and as Parquet."""

import csv

import numpy as np
import pytest
from pyarrow import parquet

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError, SettingError
from preddiff.results import summary


@pytest.fixture
def rows(rng):
    picture = rng.random((3, 8, 8))
    e = preddiff.explain(
        Softmax(picture.shape), picture, ["top2"], sampler="constant:0", window=4, stride=4
    )
    failed = summary.SummaryRow("b\n.png", "b", summary.FAILED, error="b.png: no picture")
    return e, [*summary.rows_of_result("a.png", "a", e, "a.zarr"), failed]


@pytest.mark.parametrize("name", ["s.csv", "s.parquet"])
def test_a_summary_says_what_results_say(tmp_path, rows, name):
    e, given = rows
    for _ in range(2):  # its own is replaced
        summary.check_destination(tmp_path / name)
        summary.write(given, tmp_path / name)
    if name == "s.csv":
        with (tmp_path / name).open(newline="") as file:
            found = list(csv.DictReader(file))
    else:
        found = parquet.read_table(tmp_path / name).to_pylist()
    assert [row["state"] for row in found] == ["finished", "finished", "failed"]
    assert [row["label"] for row in found[:2]] == list(e.labels)
    np.testing.assert_array_equal([float(row["prediction"]) for row in found[:2]], e.prediction)
    errors = [float(row["relative_error"]) for row in found[:2]]
    np.testing.assert_array_equal(errors, e.relative_errors)
    assert not found[2]["prediction"]
    assert found[2]["input"] == r"b\n.png"


def test_another_table_is_not_replaced(tmp_path, rows):
    for name in ("s.csv", "s.parquet"):
        (tmp_path / name).write_bytes(b"PAR1mine")
        with pytest.raises(ResultError, match="exists and was not written by preddiff"):
            summary.check_destination(tmp_path / name)
    with pytest.raises(SettingError, match=r"unknown ending; expected one of \.csv, \.parquet"):
        summary.check_destination(tmp_path / "s.txt")
