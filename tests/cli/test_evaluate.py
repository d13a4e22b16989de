"""preddiff evaluate: scores in a file, a table in a page."""

import sys

import pytest
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import ResultError, SettingError
from preddiff.studies.evaluation import truth_networks


@pytest.fixture
def invoke(folder, monkeypatch):
    """Runs the command in the folder."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "tiny_model", raising=False)

    def run(arguments, pictures=("--pictures", "pool")):
        return CliRunner().invoke(cli.app, ["evaluate", *pictures, *arguments])

    return run


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
        (["--truth", "xai-tris"], SettingError, "expected one of --pictures FOLDER and --truth"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(folder, invoke, arguments, error, message):
    (folder / "page.md").write_text("nothing\n")
    result = invoke(arguments)
    assert isinstance(result.exception, error), result.exception
    assert message in str(result.exception)
    assert len(str(result.exception).splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected one of --pictures FOLDER and --truth NAME"),
        (["--truth", "xai-tris", "--model", "embedded"], "--model is for --pictures; leave it out"),
        (["--truth", "xai-tris", "--metric", "pointing"], "--metric is for --pictures"),
        (["--truth", "xai-tris", "--budget", "3"], "--budget is for --pictures"),
        (["--truth", "xai-tris", "--contender", "grad_cam"], "--contender 'grad_cam': there is no"),
        (["--truth", "xai-tris", "--against", "centre"], "--against 'centre': there is no such"),
    ],
)
def test_the_truth_takes_no_settings_of_pictures(invoke, arguments, message):
    result = invoke(arguments, pictures=())
    assert isinstance(result.exception, SettingError), result.exception
    assert message in str(result.exception)


def test_maps_are_held_against_the_truth(folder, invoke, monkeypatch):
    monkeypatch.setattr(truth_networks, "_EPOCHS", 1)
    monkeypatch.setattr(truth_networks, "_TRIES", 1)
    page = folder / "page.md"
    page.write_text("<!-- truth: begin --><!-- truth: end -->\n")
    arguments = [
        "--truth", "xai-tris", "--contender", "sobel", "--contender", "laplace", "--count", "1",
        "-o", "scores.jsonl", "--table", "page.md", "--against", "laplace",
    ]  # fmt: skip
    result = invoke(arguments, pictures=())
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert "| map | linear white | linear correlated | multiplicative white |" in text
    assert "Differences to Laplace" in text
    # Scores of both kinds may share a file; each table has its own.
    pictures = [
        "--model", "tiny_model:make", "--contender", "sobel", "--metric", "flipping:grey",
        "--count", "1", "-o", "scores.jsonl",
    ]  # fmt: skip
    result = invoke(pictures)
    assert result.exit_code == 0, result.output
    assert "### tiny_model:make" in result.stdout
    assert "xai-tris" not in result.stdout
