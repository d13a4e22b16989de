"""preddiff evaluate: scores in a file, a table in a page."""

import sys

import pytest
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import ResultError, SettingError


@pytest.fixture
def invoke(folder, monkeypatch):
    """Runs the command in the folder."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "tiny_model", raising=False)
    words = ["evaluate", "--pictures", "pool"]
    return lambda arguments: CliRunner().invoke(cli.app, [*words, *arguments])


def test_scores_go_into_a_file_and_a_table_into_a_page(folder, invoke):
    page = folder / "page.md"
    page.write_text("before\n<!-- evaluation: begin -->old<!-- evaluation: end -->\nafter\n")
    arguments = [
        "--model", "tiny_model:make", "--contender", "sobel", "--contender", "random",
        "--metric", "flipping:grey", "--count", "2", "--half", "report", "--against", "sobel",
        "-o", "scores.jsonl", "--table", "page.md",
    ]  # fmt: skip
    result = invoke(arguments)
    assert result.exit_code == 0, result.output
    assert "tiny_model:make 1.png sobel flipping:grey: SRG grey" in result.stderr
    assert len((folder / "scores.jsonl").read_text().splitlines()) == 4
    text = page.read_text()
    assert text.startswith("before\n<!-- evaluation: begin -->\n### tiny_model:make")
    assert text.endswith("<!-- evaluation: end -->\nafter\n")
    assert "| random |" in text
    assert "Differences to edges (Sobel)" in text
    assert "old" not in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--contender", "gradcam"], SettingError, "--contender 'gradcam': there is no such name"),
        (["--metric", "srg"], SettingError, "--metric 'srg': there is no such name; "),
        (["--against", "nobody"], SettingError, "--against 'nobody': there is no such name"),
        (["--table", "page.md"], ResultError, "page.md: expected the marks"),
        (["-o", "page.md"], ResultError, "page.md: is no file of scores"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(folder, invoke, arguments, error, message):
    (folder / "page.md").write_text("nothing\n")
    result = invoke(arguments)
    assert isinstance(result.exception, error), result.exception
    assert message in str(result.exception)
    assert len(str(result.exception).splitlines()) == 1
