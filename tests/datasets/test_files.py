"""A simulated cohort as files."""

import numpy as np
import pytest

from preddiff.classify import ScanTable
from preddiff.datasets import files, simulated_cohort
from preddiff.errors import ResultError
from preddiff.media import folders, maps, volumes

pytest.importorskip("nilearn", reason="nilearn ships the template")


def test_files_hold_the_cohort_where_it_lies(tmp_path):
    cohort = simulated_cohort(seed=3, subjects=4, effect="individual", spacing=6)
    assert files.write(cohort, tmp_path) == tmp_path / "table.csv"
    table = ScanTable.read(tmp_path / "table.csv")
    assert table.labels == ("control", "patient", "control", "patient")
    for path, scan in zip(table.paths, cohort.scans, strict=True):
        kept = volumes.read(path)
        assert kept.grid.is_like(cohort.grid)
        np.testing.assert_array_equal(kept.values, scan)
    truth = volumes.read_mask(tmp_path / "truth" / "subject_001.nii.gz", cohort.grid)
    np.testing.assert_array_equal(truth, cohort.truth(1))
    mask = volumes.read_mask(tmp_path / "mask.nii.gz", cohort.grid)
    np.testing.assert_array_equal(mask, cohort.mask)
    assert len(list((tmp_path / "truth").iterdir())) == 2
    # truth and mask are no scans to draw from
    assert folders.find_volumes(tmp_path) == sorted(table.paths)
    with pytest.raises(ResultError, match="exists and is no map"):
        maps.write(cohort.mask.astype(float), cohort.grid, table.paths[0])
    files.write(simulated_cohort(seed=4, subjects=2, spacing=8), tmp_path)
