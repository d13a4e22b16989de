"""preddiff bench: its table in a page, and models that cannot be measured."""

import sys

import pytest
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import ModelError, ResultError, SettingError


def test_bench_puts_its_table_into_a_page(folder, here):
    page = folder / "page.md"
    page.write_text("before\n<!-- bench: begin -->old<!-- bench: end -->\nafter\n")
    words = ("bench", "tiny_model:make", "--only", "--windows", 4, "--check", 2)
    result = here(*words, "--output", page)
    assert result.returncode == 0, result.stderr
    assert "\\n" not in result.stdout
    text = page.read_text()
    assert text.startswith(
        "before\n<!-- bench: begin -->\nLinux" if sys.platform == "linux" else ""
    )
    assert "| make |" in text
    assert text.endswith("<!-- bench: end -->\nafter\n")
    assert "old" not in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["tiny_model:make", "--output", "page.md"], ResultError, "page.md: expected the marks"),
        ([], SettingError, "--only: no SPEC to measure"),
        (["tiny_model:make_module"], ModelError, "tiny_model:make_module: its input size is not"),
        (["tiny_model:make_callable"], ModelError, "tiny_model:make_callable: not a torch network"),
    ],
)
def test_what_cannot_be_measured_is_said(folder, monkeypatch, arguments, error, message):
    (folder / "page.md").write_text("nothing")
    with (folder / "tiny_model.py").open("a") as file:
        file.write("\ndef make_callable():\n    return lambda inputs: inputs.mean(axis=(2, 3))\n")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "tiny_model", raising=False)
    result = CliRunner().invoke(cli.app, ["bench", "--only", *arguments])
    assert isinstance(result.exception, error), result.exception
    assert message in str(result.exception)
    assert len(str(result.exception).splitlines()) == 1


def test_a_factory_that_cannot_be_measured_ends_in_one_line(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "tiny_model", raising=False)
    monkeypatch.setattr(sys, "argv", ["preddiff", "bench", "tiny_model:make_module", "--only"])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("preddiff: tiny_model:make_module: its input size is not known")
    assert len(complaint.splitlines()) == 1
