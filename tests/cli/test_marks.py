"""Sections of a page that commands fill."""

import pytest

from preddiff.cli import marks
from preddiff.errors import ResultError


def test_a_page_without_marks_is_refused_before_the_work(tmp_path):
    page = tmp_path / "paper.md"
    page.write_text("no marks")
    with pytest.raises(ResultError, match=r"expected the marks <!-- claims: begin --> and"):
        marks.check(page, "claims")
    with pytest.raises(ResultError, match="is a folder, expected the name of a file"):
        marks.check(tmp_path, "claims")
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(ResultError, match="not a Markdown page"):
        marks.check(page, "claims")
    marks.fill(tmp_path / "new.md", "claims", "text")
    assert (
        tmp_path / "new.md"
    ).read_text() == "<!-- claims: begin -->\ntext\n<!-- claims: end -->\n"
