"""Nothing leaves the machine: every command runs where a socket means death."""

import signal

import numpy as np
import pytest
from PIL import Image

from command_line import FACTORY
from sealed import run_sealed
from small_onnx import write_onnx


def test_the_seal_holds(tmp_path):
    """Else the other tests say nothing."""
    reach = "import socket; socket.socket()"
    assert run_sealed([], tmp_path / "home", reach).returncode == -signal.SIGSYS


def test_an_onnx_file_is_explained_without_a_word_to_the_maker_of_onnxruntime(tmp_path):
    pytest.importorskip("onnxruntime")
    path = write_onnx(tmp_path / "net.onnx")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    commands = [
        ["model", path],
        ["explain", tmp_path / "red.png", "--model", path, "--window", 3, "-o", tmp_path / "out"],
    ]
    done = run_sealed(commands, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    names = {found.name for found in (tmp_path / "home").rglob("*")}
    assert not names & {"deviceid", "Microsoft"}


def test_no_command_opens_a_socket(tmp_path, rng, monkeypatch):
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "tiny_model.py").write_text(FACTORY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    for folder in ("pictures", "scans"):
        (tmp_path / folder).mkdir()
    for n in range(6):
        noise = rng.integers(0, 255, size=(40, 40, 3)).astype(np.uint8)
        Image.fromarray(noise).save(f"pictures/{n}.png")
        scan = rng.normal(size=(6, 6, 6)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(scan, np.eye(4)), f"scans/{n}.nii")
    rows = "".join(f"scans/{n}.nii,{'ab'[n % 2]}\n" for n in range(6))
    (tmp_path / "table.csv").write_text("path,group\n" + rows)
    tiny = ["--model", "tiny_model:make", "--window", 6, "--stride", 6, "-o", "out"]
    commands = [
        ["model", "tiny_model:make"],
        ["sampler", "fit", "pictures", "--patch", 4, "-o", "mine.npz"],
        ["sampler", "show", "mine.npz"],
        ["explain", "pictures/0.png", *tiny],
        ["view", "out/0.zarr", "--no-browser"],
        ["export", "out/0.zarr", "--to", "netcdf"],
        ["classify", "fit", "table.csv", "--folds", 2, "-o", "scans.skops"],
        ["classify", "show", "scans.skops"],
        ["explain", "scans/0.nii", "--model", "scans.skops", "--sampler", "marginal:scans",
         "-o", "out2"],
    ]  # fmt: skip
    done = run_sealed(commands, tmp_path / "home")
    assert (done.returncode, "done" in done.stdout) == (0, True), done.stderr
