"""preddiff verify and rerun."""

import numpy as np
from PIL import Image
from typer.testing import CliRunner

import preddiff
from command_line import TINY
from preddiff import cli
from preddiff.results.explanation import Explanation

MODEL = TINY[:2]


def invoke(*arguments):
    done = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.splitlines()


def test_a_result_is_verified_and_made_again(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    invoke("explain", "cat.jpg", *TINY)
    status, told = invoke("verify", "out/cat.zarr", *MODEL, "--windows", 4, "--input", "cat.jpg")
    assert status == 0
    assert [line.partition(":")[0] for line in told] == ["pass"] * 4
    assert "4 of 16 windows of 6, drawn again" in told[-1]
    status, told = invoke("rerun", "out/cat.zarr", *MODEL)
    assert (status, told) == (
        0, ["pass: the arrays are the same: bit for bit", "out/cat.rerun.zarr"],
    )  # fmt: skip
    assert preddiff.load("out/cat.rerun.zarr").provenance["input"] == "cat.jpg"

    stored = preddiff.load("out/cat.zarr")
    stored.evidence[0, 5] += 1e-3
    preddiff.save(Explanation(stored.data), "out/cat.zarr")
    status, told = invoke("verify", "out/cat.zarr", *MODEL)
    assert status == 1
    assert told[0].startswith("pass: the file is as it was written")  # it was written again
    assert told[2].startswith("FAIL: the maps follow from the evidence")
    assert told[3].startswith("FAIL: 16 of 16 windows of 6, drawn again: 1 differ: window 5 at")
    status, told = invoke("rerun", "out/cat.zarr", *MODEL)
    assert status == 1
    assert told[0].startswith("FAIL: the arrays are the same: evidence is off by")

    Image.fromarray(255 - np.asarray(Image.open("cat.jpg"))).save("other.png")
    status, told = invoke("verify", "out/cat.zarr", *MODEL, "--input", "other.png")
    assert status == 1
    assert told[1].startswith("FAIL: model, sampler, settings and answer: the input is ")


def test_what_cannot_be_verified_is_one_line(here):
    done = here("verify", "cat.zarr", "--order", "xyz")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "cat.zarr: no such result" in done.stderr
