"""Numbers and results of the version before the house was rebuilt."""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import preddiff

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))

import runs  # noqa: E402

NAMES = list(runs.runs("."))


@pytest.fixture(scope="module")
def before():
    with np.load(GOLDEN / "golden.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_before(name, before, tmp_path):
    """Within rounding, as processors round differently; runs.py compares bit for bit."""
    explanation = runs.runs(tmp_path)[name]()
    for array in runs.ARRAYS:
        now, expected = runs.common(explanation, array, before[f"{name}/{array}"])
        slack = 1e-4 * max(np.nanmax(np.abs(expected)), 1e-6)
        np.testing.assert_allclose(now, expected, rtol=0, atol=slack)


@pytest.mark.parametrize("name", ["picture", "scan", "units"])
def test_results_of_before_open(name, tmp_path):
    with zipfile.ZipFile(GOLDEN / "results.zip") as file:
        file.extractall(tmp_path)
    explanation = preddiff.load(tmp_path / f"{name}.zarr")
    assert np.isfinite(explanation.relevance).any()
    assert explanation.importance is None
    assert explanation.importance_error is None
    assert explanation.provenance["preddiff_version"] == "0.1.0"
    assert preddiff.page(explanation, tmp_path / "page.html").exists() or name == "units"
