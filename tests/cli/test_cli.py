"""The command line as a person meets it: in a process of its own where exit and streams count."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from preddiff import cli

FACTORY = """
import torch
from torch import nn
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing

def make():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 22 * 22, 5)]
    network = nn.Sequential(*layers).eval()
    how = Preprocessing(size=(24, 24), short_side=24, mean=(0.5,) * 3)
    return Network(network, how, spec="tiny", labels=["ant", "bee", "cat, house cat", "dog", "elk"])

def make_module():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()

def make_float():
    return 3.5
"""


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "preddiff", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.fixture
def place(tmp_path, rng):
    """A folder with a picture, a pool of pictures and a model to name."""
    (tmp_path / "tiny_model.py").write_text(FACTORY)
    (tmp_path / "pool").mkdir()
    for n in range(4):
        pixels = rng.integers(0, 256, size=(40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pool" / f"{n}.png")
    Image.fromarray(pixels).save(tmp_path / "cat.jpg")
    return tmp_path


TINY = ("--model", "tiny_model:make", "--window", 6, "--stride", 6)


def test_explain_writes_result_figure_and_page(place):
    done = run("explain", "cat.jpg", *TINY, "--target", "top2", "-o", "out", cwd=place)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (place / "out").iterdir()) == ["cat.html", "cat.png", "cat.zarr"]
    assert done.stdout.splitlines()[-1] == str(Path("out/cat.html"))
    assert "16 windows × 10 draws = 160 evaluations" in done.stderr
    import preddiff

    e = preddiff.load(place / "out" / "cat.zarr")
    assert e.provenance["input"] == "cat.jpg"
    assert e.sensitivity is not None
    assert len(e.labels) == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--target", "house cat", "--target", "4"),
        ("--sampler", "constant:mean"),
        ("--sampler", "marginal:pool", "--samples", "2"),
        ("--node", "1", "--target", "3"),
        ("--mask", "pool/0.png"),
        ("--engine", "dense", "--precision", "float32", "--seed", "3", "--margin", "1"),
    ],
    ids=lambda options: options[0],
)
def test_options_of_explain(place, monkeypatch, options):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    result = CliRunner().invoke(cli.app, ["explain", "cat.jpg", *map(str, TINY), *options])
    assert result.exception is None, result.exception
    assert (place / "out" / "cat.zarr").is_dir()


def test_several_inputs(place):
    done = run("explain", "pool/0.png", "pool/1.png", *TINY, "-o", "out", cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(Path("out/1.html"))
    assert len(list((place / "out").iterdir())) == 6


def test_export_model_and_sampler(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)

    def invoke(*arguments):
        result = CliRunner().invoke(cli.app, list(map(str, arguments)))
        assert result.exception is None, result.exception
        return result.stdout

    invoke("explain", "cat.jpg", *TINY)
    for to, ending in (("png", ".png"), ("npz", ".npz"), ("netcdf", ".nc")):
        assert invoke("export", "out/cat.zarr", "--to", to).strip() == f"out/cat{ending}"
        assert Path(f"out/cat{ending}").stat().st_size > 0
    shown = invoke("model", "tiny_model:make")
    assert "3×24×24" in shown
    assert "5 (ant, …)" in shown
    assert "4×22×22" in shown
    invoke("sampler", "fit", "pool", "-o", "mine.npz", "--patch", 7, "--model", "tiny_model:make")
    shown = invoke("sampler", "show", "mine.npz")
    assert "7×7" in shown
    assert "joint" in shown
    invoke("explain", "cat.jpg", *TINY[:2], "--window", 3, "--sampler", "conditional:mine.npz")


def bad(name, arguments, message, make=lambda _: None):
    return pytest.param(arguments, message, make, id=name)


def write(name, content=b""):
    return lambda folder: (folder / name).write_bytes(content)


def cut_off_onnx(folder):
    import onnx
    from onnx import helper

    graph = helper.make_graph([], "empty", [], [])
    content = helper.make_model(graph).SerializeToString()
    (folder / "cut.onnx").write_bytes(content[: len(content) // 2])
    assert onnx


def mixed_sizes(folder):
    (folder / "mixed").mkdir()
    for n, size in enumerate([(60, 40), (50, 40)]):
        Image.new("RGB", size).save(folder / "mixed" / f"{n}.png")


def bent_weights(folder):
    torch.save({"a": torch.zeros(1)}, folder / "bent.pth")


BAD = [
    bad("no such file", ["dog.jpg", *TINY], "dog.jpg: no such file"),
    bad("not an image", ["a.jpg", *TINY], "a.jpg: not a picture", write("a.jpg", b"hello")),
    bad("0 bytes", ["a.jpg", *TINY], "a.jpg: the file is empty (0 bytes)", write("a.jpg")),
    bad("a folder", ["pool", *TINY], "pool: a folder, expected one picture"),
    bad("window too large", ["cat.jpg", *TINY[:2], "--window", "25"], "does not fit into an input"),
    bad("a small picture", ["small.png", *TINY], "has 5×5 pixels, less than a window of 6",
        lambda folder: Image.new("RGB", (5, 5)).save(folder / "small.png")),
    bad("window 0", ["cat.jpg", *TINY[:2], "--window", "0"], "window=0: expected a whole number"),
    bad("window below 0", ["cat.jpg", *TINY[:2], "--window", "-1"], "window=-1"),
    bad("no room", ["cat.jpg", *TINY[:2], "--window", "22"], "has no room in an input of 24×24"),
    bad("no margin", ["cat.jpg", *TINY, "--margin", "0"], "margin=0 leaves no room"),
    bad("model", ["cat.jpg", "--model", "embeded"], "unknown model 'embeded'"),
    bad("factory", ["cat.jpg", "--model", "tiny_model:mak"], "unknown model tiny_model:mak"),
    bad("no model", ["cat.jpg", "--model", "tiny_model:make_float"], "a float is no model"),
    bad("sampler", ["cat.jpg", *TINY, "--sampler", "gauss"], "unknown sampler 'gauss'"),
    bad("target", ["cat.jpg", *TINY, "--target", "5"], "target 5: expected 0 to 4"),
    bad("label", ["cat.jpg", *TINY, "--target", "do"], "'do': no such label; nearest: dog"),
    bad("node", ["cat.jpg", *TINY, "--node", "conv9"], "no node 'conv9'"),
    bad("cut off", ["cat.jpg", "--model", "cut.onnx"], "not a whole ONNX file", cut_off_onnx),
    bad("no weights", ["cat.jpg", "--model", "torchvision:alexnet@no.pth"], "no such weights file"),
    bad(
        "other weights",
        ["cat.jpg", "--model", "torchvision:squeezenet1_1@bent.pth"],
        "not a state dict of this network",
        bent_weights,
    ),
    bad("no pictures", ["cat.jpg", *TINY, "--sampler", "marginal:empty"],
        "empty: no pictures in this folder", lambda folder: (folder / "empty").mkdir()),
    bad("no such folder", ["cat.jpg", *TINY, "--sampler", "marginal:nil"], "nil: no such folder"),
    bad("output", ["cat.jpg", *TINY, "-o", "file/out"], "not a folder that can be written",
        write("file")),
    bad("twice", ["cat.jpg", "pool/../cat.jpg", *TINY], "several inputs are called 'cat'"),
    bad("preprocess", ["cat.jpg", "--model", "tiny_model:make_module", "--preprocess", "x.json"],
        "x.json: not a JSON file with preprocessing"),
    bad("its own preprocessing", ["cat.jpg", "--model", "embedded", "--preprocess", "x.json"],
        "embedded knows its own output and preprocessing"),
    bad("an array of NaN", ["nan.tif", *TINY], "floats from nan to nan: expected 0 to 1",
        lambda folder: Image.fromarray(np.full((30, 30), np.nan, "f4")).save(folder / "nan.tif")),
    bad("a long name", ["x" * 300 + ".png", *TINY], "no such file"),
    bad("overwritten", ["pool/0.png", *TINY, "-o", "pool"], "would overwrite the input"),
    bad("a folder of one of several names", ["cat.jpg", *TINY, "--window", "50", "-o", "several"],
        "cat.window-50.zarr: exists and is not a result",
        lambda folder: (folder / "several/cat.window-50.zarr/mine").mkdir(parents=True)),
    bad("a folder of that name", ["cat.jpg", *TINY, "-o", "taken"], "exists and is not a result",
        lambda folder: (folder / "taken/cat.zarr").mkdir(parents=True)),
    bad("a mask of another size", ["cat.jpg", *TINY, "--mask", "small.png"],
        "small.png: has 9×9 pixels, expected those of the picture, 60×40",
        lambda folder: Image.new("L", (9, 9), 255).save(folder / "small.png")),
    bad("no number", ["cat.jpg", "--window", "2.5"], "window='2.5': expected a whole number"),
    bad("no such option", ["cat.jpg", "--windw", "2"], "No such option: --windw"),
    bad("a large seed", ["cat.jpg", *TINY, "--seed", "9" * 20], "seed=99999999999999999999"),
    bad("a factory that raises", ["cat.jpg", "--model", "json:loads"],
        "json:loads raised TypeError"),
    bad("pictures of two sizes", ["cat.jpg", "--model", "tiny_model:make_module", *TINY[2:],
        "--sampler", "marginal:mixed"], "expected the input's, (3, 40, 60)", mixed_sizes),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message", "make"), BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    place, monkeypatch, capsys, arguments, message, make
):
    make(place)
    before = sorted(place.rglob("*"))
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(sys, "argv", ["preddiff", "explain", *map(str, arguments)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    told = capsys.readouterr()
    assert exit_.value.code == 2
    assert told.err.startswith("preddiff: ")
    assert len(told.err.splitlines()) == 1
    assert message in told.err
    assert told.out == ""
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sampler", "fit", "empty", "-o", "a.npz"], "empty: no such folder"),
        (["sampler", "fit", "one", "-o", "a.npz"], "1 inputs with"),
        (["sampler", "fit", "none", "-o", "a.npz"], "none: no pictures in this folder"),
        (["sampler", "fit", "pool", "-o", "none", "--patch", "3"], "none: is a folder"),
        (["sampler", "show", "cat.jpg"], "cat.jpg: not a sampler file"),
        (["export", "cat.zarr", "--to", "png"], "cat.zarr: no such result"),
        (["model", "torchvision:gogglenet"], "nearest: googlenet"),
    ],
)
def test_bad_input_of_the_other_commands(place, arguments, message):
    (place / "none").mkdir()
    (place / "one").mkdir()
    (place / "one" / "cat.jpg").write_bytes((place / "cat.jpg").read_bytes())
    done = run(*arguments, cwd=place)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_interrupted_it_writes_nothing(place, monkeypatch, capsys):
    from preddiff.pipeline import run

    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "analyse", interrupt)
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(
        sys, "argv", ["preddiff", "explain", "cat.jpg", *map(str, TINY), "-o", "out"]
    )
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 130
    assert "interrupted; nothing half-written is left" in capsys.readouterr().err
    assert not (place / "out").exists()


def commands(app, path=()):
    """Every command below a typer application, with the words that lead to it."""
    import typer

    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from (((name, n), c) for n, c in command.commands.items())
        else:
            yield (*path, name), command


@pytest.mark.parametrize(("words", "command"), list(commands(cli.app)), ids=str)
def test_every_command_has_an_example_and_every_option_help(words, command):
    text = CliRunner().invoke(cli.app, [*words, "--help"]).stdout
    assert "Example: preddiff" in text
    for parameter in command.params:
        if parameter.name != "help":
            assert parameter.help, f"{words} {parameter.name}"


def test_every_option_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for words, command in commands(cli.app):
        assert f"preddiff {' '.join(words)}" in text
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option != "--help":
                    assert option in text, option


def test_a_slower_run_says_why_in_one_line(place):
    (place / "tiny_model.py").write_text(
        FACTORY + "class Choosy(nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) if x.sum() > -1e9 else x\n\n"
        "def make_choosy():\n"
        "    return Choosy(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()\n"
    )
    settings = ("--model", "tiny_model:make_choosy", "--window", 6, "--stride", 9)
    result = subprocess.run(
        [sys.executable, "-m", "preddiff", "explain", "cat.jpg", *map(str, settings)],
        capture_output=True, text=True, cwd=place, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith("preddiff: ")]
    assert len(said) == 1
    assert "whole forward passes, as the network cannot be traced" in said[0]
    assert "Warning" not in result.stderr


def test_tolerance_and_engine_on_the_command_line(place):
    result = run(
        "explain", "cat.jpg", *TINY[:4], "--tolerance", 0.3, "--engine", "incremental", cwd=place
    )
    assert result.returncode == 0, result.stderr
    e = __import__("preddiff").load(place / "out" / "cat.zarr")
    assert e.provenance["engine"] == "incremental"
    assert e.provenance["tolerance"] == 0.3


def test_bench_puts_its_table_into_a_page(place):
    page = place / "page.md"
    page.write_text("before\n<!-- bench: begin -->old<!-- bench: end -->\nafter\n")
    result = run(
        "bench", "torchvision:squeezenet1_1@random", "--only", "--windows", 8, "--check", 2,
        "--output", page, cwd=place,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    text = page.read_text()
    assert text.startswith(
        "before\n<!-- bench: begin -->\nLinux" if sys.platform == "linux" else ""
    )
    assert "| squeezenet1_1 |" in text
    assert text.endswith("<!-- bench: end -->\nafter\n")
    assert "old" not in text
    page.write_text("nothing")
    again = run("bench", "torchvision:squeezenet1_1@random", "--only", "-o", page, cwd=place)
    assert again.returncode == 2


def test_repeated_options_are_explained_side_by_side(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    words = ["explain", "cat.jpg", *map(str, TINY), "--window", "8"]
    result = CliRunner().invoke(cli.app, words)
    assert result.exception is None, result.exception
    assert {path.name for path in (place / "out").iterdir()} == {
        "cat.window-6.zarr", "cat.window-8.zarr", "cat.png", "cat.html",
    }  # fmt: skip
    assert result.stdout.startswith("window 6, ")
    assert result.stdout.splitlines()[-1] == str(Path("out/cat.html"))
    again = CliRunner().invoke(cli.app, [*words, "--resume"])
    assert "of one explanation at a time" in str(again.exception)


@pytest.mark.parametrize("window", ["4", "channel", "unit"])
def test_windows_of_a_hidden_node_on_the_command_line(place, monkeypatch, window):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    words = ["explain", "cat.jpg", "--model", "tiny_model:make", "--source", "1", "--measure", "AD"]
    result = CliRunner().invoke(
        cli.app, [*words, "--sampler", "marginal:pool", "--window", window, "--samples", "2"]
    )
    assert result.exception is None, result.exception
    shown = {"4": "cat.html", "channel": "cat.png", "unit": "cat.zarr"}[window]
    assert result.stdout.splitlines()[-1] == str(Path("out") / shown)
