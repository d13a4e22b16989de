"""The table of other packages' models in the documentation is that of scripts/packages.py."""

import re
from dataclasses import replace
from pathlib import Path

import packages
import pytest

from preddiff.models.load import SPEC_SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
SECTION = PAGE.split("<!-- packages: begin -->")[1].split("<!-- packages: end -->")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if re.match(r"\| (?!package|--)", line)
]


def test_the_page_has_a_row_for_each_case_and_none_deviates():
    listed = [(row[0].partition(" ")[0], row[1], row[2]) for row in ROWS]
    assert listed == [(case.package, case.name, case.given) for case in packages.CASES]
    for row in ROWS:
        assert float(row[5]) <= packages.ALLOWED * max(1.0, float(row[4])), row


def test_every_kind_of_file_and_folder_is_tried_and_described():
    forms = {each.form for each in SPEC_SOURCES if each.form.startswith(("PATH", "hf", "monai"))}
    assert forms - {case.given for case in packages.CASES} == {"PATH.skops"}  # tested in its room
    for each in SPEC_SOURCES:
        assert f"`{each.form}" in PAGE or f"`{each.form.partition('[')[0]}" in PAGE, each.form


@pytest.mark.parametrize("given", ["the pipeline, table=", "one_input(network, inputs, 1)"])
def test_the_script_sees_what_is_right_and_what_is_not(given):
    case = next(each for each in packages.CASES if each.given == given)
    line, fine = packages._row(case)
    assert fine, line

    def wrong(folder):
        made = case.make(folder)
        return replace(made, answer=lambda inputs: made.answer(inputs) ** 1.01)

    line, fine = packages._row(replace(case, make=wrong))
    assert not fine
    assert "failed" not in line
