"""preddiff export: each format, and what is no result."""

from pathlib import Path

from typer.testing import CliRunner

from command_line import TINY, run
from preddiff import cli


def test_a_result_in_every_format(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)

    def invoke(*arguments):
        result = CliRunner().invoke(cli.app, list(map(str, arguments)))
        assert result.exception is None, result.exception
        return result.stdout

    invoke("explain", "cat.jpg", *TINY)
    for to, ending in (("png", ".png"), ("npz", ".npz"), ("netcdf", ".nc"), ("zip", ".zarr.zip")):
        assert invoke("export", "out/cat.zarr", "--to", to).strip() == f"out/cat{ending}"
        assert Path(f"out/cat{ending}").stat().st_size > 0
    for told, written in (
        (("export", "out/cat.zarr.zip", "--to", "npz"), "out/cat.npz"),
        (("view", "out/cat.zarr.zip", "--no-browser"), "out/cat.html"),
    ):
        assert invoke(*told).strip() == written
    told = invoke("export", "out/cat.zarr", "--to", "png", "--map", "importance")
    assert told.strip() == "out/cat.importance.png"
    told = invoke("export", "out/cat.zarr", "--to", "npz", "--map", "importance")
    assert told.strip() == "out/cat.npz"


def test_what_is_no_result_is_one_line(folder):
    done = run("export", "cat.zarr", "--to", "png", cwd=folder)
    assert done.returncode == 2
    assert "cat.zarr: no such result" in done.stderr
    assert len(done.stderr.splitlines()) == 1
