"""preddiff view: where the page of one or several results goes."""

from pathlib import Path

from typer.testing import CliRunner

from command_line import TINY
from preddiff import cli


def test_pages_are_written_next_to_the_first_result(folder, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)

    def invoke(*arguments):
        result = CliRunner().invoke(cli.app, list(map(str, arguments)))
        assert result.exception is None, result.exception
        return result.stdout.splitlines()[-1]

    invoke("explain", "cat.jpg", *TINY, "--window", 8)
    names = ("out/cat.window-6.zarr", "out/cat.window-8.zarr")
    assert Path(invoke("view", names[0])) == Path("out/cat.window-6.html")
    assert opened == [Path("out/cat.window-6.html").resolve().as_uri()]
    assert Path(invoke("view", *names, "--no-browser")) == Path("out/comparison.html")
    assert len(opened) == 1
    assert Path(invoke("view", *names, "--no-browser", "-o", "page.html")) == Path("page.html")
    assert Path("page.html").stat().st_size > 0
