"""What this package wrote is recognised, and nothing else is."""

import os

import pytest
from PIL import Image

from preddiff.errors import ResultError
from preddiff.media import ours

FUNCTIONS = [
    ours.is_figure, ours.is_page, ours.is_netcdf, ours.is_arrays, ours.is_sampler,
    ours.is_classifier, ours.is_cohort_table, ours.is_text,
]  # fmt: skip


@pytest.mark.parametrize("is_ours", FUNCTIONS)
@pytest.mark.parametrize("content", [b"", b"CDF\1", b"PK\3\4", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_other_files_are_not_ours(tmp_path, is_ours, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not is_ours(path)
    with pytest.raises(ResultError, match="exists and was not written by preddiff; remove it or"):
        ours.check_destination(path, is_ours)
    ours.check_destination(tmp_path / "new", is_ours)


def test_a_picture_of_somebody_else_is_no_figure(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "mask.png")
    assert not ours.is_figure(tmp_path / "mask.png")


def test_a_cohort_table_that_somebody_added_to_is_theirs(tmp_path):
    table = tmp_path / "table.csv"
    rows = ["path,group,truth", "scans/subject_000.nii.gz,control,"]
    table.write_text("\n".join(rows) + "\n")
    assert ours.is_cohort_table(table)
    for added in ("scans/mine.nii.gz,control,", "scans/subject_001.nii.gz,control,,63"):
        table.write_text("\n".join([*rows, added]) + "\n")
        assert not ours.is_cohort_table(table)


def test_a_pipe_is_no_figure_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert not ours.is_figure(tmp_path / "pipe.png")
