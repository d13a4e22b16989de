"""preddiff model: what it prints, and an unknown name."""

from typer.testing import CliRunner

from preddiff import cli


def test_input_classes_and_nodes_are_shown(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    result = CliRunner().invoke(cli.app, ["model", "tiny_model:make"])
    assert result.exception is None, result.exception
    assert "3×24×24" in result.stdout
    assert "5 (ant, …)" in result.stdout
    assert "4×22×22" in result.stdout


def test_an_unknown_name_is_one_line(here):
    done = here("model", "torchvision:gogglenet")
    assert done.returncode == 2
    assert "nearest: googlenet" in done.stderr
    assert len(done.stderr.splitlines()) == 1
