"""Nothing leaves the machine: every command runs where a socket means death.

Nor does any need a home that can be written: theirs cannot.
"""

import signal
import stat

import numpy as np
import pytest
from PIL import Image

import preddiff.cli
from command_line import FACTORY
from sealed import RUN, run, run_sealed, run_sealed_in_a_read_only_home
from small_onnx import write_onnx

CALLABLE = """
import numpy as np

def make():
    return lambda batch: np.stack([p := batch.mean(axis=(1, 2, 3)), 1 - p], axis=1)
"""
# Figures of a study that is small enough for a test.
SMALL = """
from preddiff.studies.paper import volume_figures as figures

study = figures.simulated_study
figures.simulated_study = lambda seed, effect, _: study(seed, effect, 8, train=40, test=16)
figures.WINDOW = 1
"""


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    """A folder of pictures, scans and models, which commands are run in."""
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "work"), prepend=":")
    (tmp_path / "work" / "tiny_model.py").write_text(FACTORY)
    (tmp_path / "work" / "function.py").write_text(CALLABLE)
    for name in ("pictures", "scans"):
        (tmp_path / "work" / name).mkdir()
    for n in range(6):
        noise = rng.integers(0, 255, size=(40, 40, 3)).astype(np.uint8)
        Image.fromarray(noise).save(f"pictures/{n}.png")
        scan = rng.normal(size=(6, 6, 6)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(scan, np.eye(4)), f"scans/{n}.nii")
    rows = "".join(f"scans/{n}.nii,{'ab'[n % 2]}\n" for n in range(6))
    (tmp_path / "work" / "table.csv").write_text("path,group\n" + rows)
    Image.new("RGB", (8, 8), "red").save("red.png")
    write_onnx(tmp_path / "work" / "net.onnx")
    return tmp_path


_COARSE = ["--window", 6, "--stride", 6]
_FEW = ["--stride", 200, "--samples", 2, "--engine", "dense"]
COMMANDS = [
    ["model", "tiny_model:make"],
    ["sampler", "fit", "pictures", "--patch", 4, "-o", "mine.npz"],
    ["sampler", "show", "mine.npz"],
    ["sampler", "check", "conditional:mine.npz", "--on", "pictures", "--window", 2, "--margin", 1],
    ["explain", "pictures/0.png", "--model", "tiny_model:make", *_COARSE],
    ["interactions", "pictures/0.png", "--model", "tiny_model:make", "--regions", "2x1",
     "--window", 6, "--samples", 2],
    ["view", "out/0.zarr", "--no-browser"],
    ["report", "out", "--no-browser"],
    ["export", "out/0.zarr", "--to", "netcdf"],
    ["verify", "out/0.zarr", "--model", "tiny_model:make", "--windows", 2],
    ["cite", "out/0.zarr"],
    ["rerun", "out/0.zarr", "--model", "tiny_model:make"],
    ["classify", "fit", "table.csv", "--folds", 2, "-o", "scans.skops"],
    ["classify", "show", "scans.skops"],
    ["explain", "scans/0.nii", "--model", "scans.skops", "--sampler", "marginal:scans",
     "-o", "out2"],
    ["explain", "pictures/0.png", "--model", "function:make", *_COARSE, "-o", "out3",
     "--sampler", "constant:0.5"],
    ["explain", "red.png", "--model", "net.onnx", "--window", 3, "-o", "out"],
    ["explain", "pictures/1.png", *_FEW],  # embedded
    ["explain", "pictures/2.png", "--model", "torchvision:squeezenet1_1@random", *_FEW],
    ["explain", "pictures/2.png", "--model", "timm:test_vit@random", *_FEW,
     "--sampler", "constant:0.5"],
    ["cohort", "--subjects", 4, "--spacing", 8],
    ["bench", "tiny_model:make", "--only", "--windows", 1, "--check", 1],
    ["evaluate", "--pictures", "pictures", "--model", "tiny_model:make", "--contender", "sobel",
     "--contender", "random", "--metric", "flipping:grey", "--count", 2, "--against", "sobel"],
    ["reproduce", "fig9", "--hurry", 8],
]  # fmt: skip


def test_every_command_is_tried():
    names = {each.name or each.callback.__name__ for each in preddiff.cli.app.registered_commands}
    names |= {each.typer_instance.info.name for each in preddiff.cli.app.registered_groups}
    assert {command[0] for command in COMMANDS} == names


def test_the_seal_holds(tmp_path):
    """Else the other tests say nothing."""
    reach = "print('ready', flush=True); import socket; socket.socket()"
    assert run_sealed([], tmp_path / "home", reach).returncode == -signal.SIGSYS


def test_no_command_opens_a_socket_or_needs_a_home_that_can_be_written(folder):
    done = run_sealed_in_a_read_only_home(COMMANDS, folder / "home", SMALL + RUN)
    assert (done.returncode, "done" in done.stdout) == (0, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not list((folder / "home").iterdir())


def test_the_home_is_read_only_even_for_root(tmp_path):
    """Else the test above says nothing."""
    write = (
        "from pathlib import Path; print('ready', flush=True); Path.home().joinpath('a').touch()"
    )
    assert "PermissionError" in run_sealed_in_a_read_only_home([], tmp_path / "home", write).stderr
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o500


def test_an_onnx_file_is_explained_without_a_word_to_the_maker_of_onnxruntime(folder):
    pytest.importorskip("onnxruntime")
    commands = [
        ["model", "net.onnx"],
        ["explain", "red.png", "--model", "net.onnx", "--window", 3],
        ["classify", "fit", "table.csv", "--folds", 2, "-o", "scans.skops"],
    ]
    done = run_sealed(commands, folder / "home")
    assert done.returncode == 0, done.stderr
    names = {found.name for found in (folder / "home").rglob("*")}
    assert not names & {"deviceid", "Microsoft"}


# What Python tells of sockets before it opens them (audit events).
_LOOPBACK = """
import sys

def watch(event, arguments):
    if event in {"socket.bind", "socket.connect"} and arguments[1][0] != "127.0.0.1":
        raise SystemExit(f"{event} {arguments[1]}")
    if event == "socket.getaddrinfo":
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(watch)
"""


def test_a_live_page_is_served_to_this_machine_only(folder):
    words = ["explain", "pictures/0.png", "--model", "function:make", *_COARSE, "--live"]
    (folder / "home").mkdir()
    done = run(_LOOPBACK + RUN, [words], folder / "home", {})
    assert (done.returncode, "done" in done.stdout) == (0, True), done.stderr
    assert "http://127.0.0.1:" in done.stderr
