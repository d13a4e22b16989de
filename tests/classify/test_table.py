"""The table of a study."""

import pytest

from preddiff.classify import ScanTable
from preddiff.errors import InputError
from small_study import write_small_study


@pytest.fixture
def study(tmp_path, rng):
    return write_small_study(tmp_path, rng)


def test_balance_takes_the_first_of_the_larger_group(study):
    table = ScanTable.read(study / "study.csv").balanced()
    names = [path.stem.split(".")[0] for path in table.paths]
    healthy = [n for n, label in zip(names, table.labels, strict=True) if label == "healthy"]
    assert healthy == [f"scan{n:02d}" for n in (1, 2, 4, 5, 7, 8, 10, 11, 13)]


def test_paths_are_relative_to_the_table_and_tabs_may_separate(study):
    (study / "tabs.tsv").write_text("scan\twho\n scan00.nii.gz \ta\nscan01.nii.gz\t b\n")
    table = ScanTable.read(study / "tabs.tsv", image="scan", label="who")
    assert table.paths == (study / "scan00.nii.gz", study / "scan01.nii.gz")
    assert table.labels == ("a", "b")


def test_a_missing_scan_is_named_with_its_line(study):
    (study / "bad.csv").write_text("path,group\nscan00.nii.gz,a\ngone.nii,b\n")
    with pytest.raises(InputError, match=r"bad\.csv, line 3: .*gone\.nii: no such file"):
        ScanTable.read(study / "bad.csv")
