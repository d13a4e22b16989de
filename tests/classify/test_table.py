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


@pytest.mark.parametrize("missing", ["n/a", "NaN", "NA", "", " "])
def test_a_missing_group_is_no_group(study, missing):
    lines = ["path,group", "scan00.nii.gz,a", f"scan01.nii.gz,{missing}", "scan02.nii.gz,b"]
    (study / "bad.csv").write_text("\n".join([*lines, f"scan03.nii.gz,{missing}"]))
    with pytest.raises(InputError, match=r"bad\.csv, lines 3, 5: no 'group'.*; fill it in, or rem"):
        ScanTable.read(study / "bad.csv")


def test_the_same_scan_in_several_rows_is_refused(study):
    (study / "link.nii.gz").symlink_to(study / "scan00.nii.gz")
    for again in ("scan00.nii.gz", "./scan00.nii.gz", "link.nii.gz"):
        text = f"path,group\nscan00.nii.gz,a\nscan01.nii.gz,b\n{again},b\n"
        (study / "bad.csv").write_text(text)
        with pytest.raises(InputError, match=r"bad\.csv, lines 2, 4: the same scan, .*scan00"):
            ScanTable.read(study / "bad.csv")


def test_blank_lines_do_not_shift_the_line_that_a_message_names(study):
    (study / "bad.csv").write_text("path,group\n\nscan00.nii.gz,a\n,\n\ngone.nii,b\n")
    with pytest.raises(InputError, match=r"bad\.csv, line 6: .*gone\.nii: no such file"):
        ScanTable.read(study / "bad.csv")


@pytest.mark.parametrize(
    ("name", "separator"), [("a.csv", ";"), ("a.TSV", "\t"), ("a.tsv", ","), ("a.txt", "\t")]
)
def test_tables_may_be_separated_in_any_usual_way(study, name, separator):
    rows = [("path", "group"), ("scan00.nii.gz", "a"), ("scan01.nii.gz", "b")]
    (study / name).write_text("\n".join(separator.join(row) for row in rows))
    assert ScanTable.read(study / name).labels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,group,group\nscan00.nii.gz,a,b\n", "several columns 'group'"),
        ("path,group\nscan00.nii.gz,a,b\n", "line 2: 3 values for 2 columns; quote"),
        ("path,group\nscan00.nii.gz,A\nscan01.nii.gz,a\n", "'A' and 'a' differ in capitals only"),
    ],
)
def test_tables_that_could_be_misread(study, text, message):
    (study / "bad.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        ScanTable.read(study / "bad.csv")
