"""Killed at random moments, a run goes on and comes to the same results, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import preddiff
from preddiff.errors import ResultError

PROGRAM = Path(__file__).parents[1] / "killed.py"
ARRAYS = ("relevance", "standard_error", "evidence", "evidence_error", "importance", "coverage")


@pytest.mark.parametrize(
    ("kills", "settings"),
    [
        (10, ("--sets", 120, "--window", 4, "--sampler", "blurred")),
        (
            10,
            (
                "--window",
                4,
                "--samples",
                8,
                "--sampler",
                "marginal:.",
                "--stride",
                2,
                "--tolerance",
                0.2,
            ),
        ),
    ],
    ids=["sets", "tolerance"],
)
def test_all_results_are_those_of_an_undisturbed_run(tmp_path, rng, kills, settings):
    for name in ("a", "b"):
        pixels = rng.integers(0, 256, size=(12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    seed = int(np.random.default_rng().integers(2**32))
    print("seed", seed)  # noqa: T201 - so that a failure can be had again
    words = ("a.png", "b.png", "--model", "killed:make", "--results-only", *settings)
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, str(seed), str(kills), *map(str, words)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    said = done.stdout + done.stderr + (tmp_path / "log.txt").read_text()
    print(said)  # noqa: T201
    assert done.returncode == 0
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert {run["code"] for run in runs} <= {0, -9}
    assert sum(run["code"] == -9 for run in runs) >= kills // 2
    right = {path.name: preddiff.load(path) for path in (tmp_path / "undisturbed").glob("*.zarr")}
    assert len(right) == 2
    finished = sorted({run["output"] for run in runs})
    for output in finished:
        assert {path.name for path in (tmp_path / output).iterdir()} == {
            path.name for path in (tmp_path / "undisturbed").iterdir()
        }
        for name, e in right.items():
            check_same(preddiff.load(tmp_path / output / name), e)
    incomplete = []
    for path in (tmp_path / "copies").rglob("*.zarr"):
        try:
            check_same(preddiff.load(path), right[path.name])
        except ResultError:
            incomplete.append(path)
    assert all(".preddiff." in str(path) for path in incomplete)  # it had not its own name yet


def check_same(result, right):
    assert not result.is_partial
    for name in ARRAYS:
        np.testing.assert_array_equal(result.data[name], right.data[name], name)
