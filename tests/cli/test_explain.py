"""preddiff explain: its options, what it writes, and what it says of bad input."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import preddiff
from command_line import FACTORY, TINY, run
from preddiff import cli
from preddiff.errors import ResultError
from preddiff.results import store


def test_explain_writes_result_figure_and_page(folder):
    done = run("explain", "cat.jpg", *TINY, "--target", "top2", "-o", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["cat.html", "cat.png", "cat.zarr"]
    assert done.stdout.splitlines()[-1] == str(Path("out/cat.html"))
    assert "16 windows × 10 draws = 160 draws" in done.stderr
    import preddiff

    e = preddiff.load(folder / "out" / "cat.zarr")
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
def test_options_of_explain(folder, monkeypatch, options):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    result = CliRunner().invoke(cli.app, ["explain", "cat.jpg", *map(str, TINY), *options])
    assert result.exception is None, result.exception
    assert (folder / "out" / "cat.zarr").is_dir()


def test_several_inputs_each_of_which_says_which_one_it_is(folder, here):
    done = here("explain", "pool/0.png", "pool/1.png", *TINY, "-o", "out")
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if " of 2 · " in line]
    assert [line.split(", ")[0] for line in said] == ["1 of 2 · 0.png", "2 of 2 · 1.png"]
    assert str(Path("out/1.html")) in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == str(Path("out/summary.csv"))
    assert len(list((folder / "out").iterdir())) == 7


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
    (folder / "mixed/as-it-is.json").write_text("{}")


def bent_weights(folder):
    torch.save({"a": torch.zeros(1)}, folder / "bent.pth")


BAD = [
    bad("no such file", ["dog.jpg", *TINY], "dog.jpg: no such file"),
    bad("not an image", ["a.jpg", *TINY], "a.jpg: not a picture", write("a.jpg", b"hello")),
    bad("0 bytes", ["a.jpg", *TINY], "a.jpg: the file is empty (0 bytes)", write("a.jpg")),
    bad("an empty folder", ["empty", *TINY], "empty: no pictures or scans in this folder",
        lambda folder: (folder / "empty").mkdir()),
    bad("no input", TINY, "expected one or more INPUTs, or a --table"),
    bad("input and table", ["cat.jpg", "--table", "a.csv", *TINY], "expected one or more INPUTs"),
    bad("no table", ["--table", "a.csv", *TINY], "a.csv: no such table"),
    bad("a summary of one", ["cat.jpg", "--summary", "a.csv", *TINY], "--summary: is of several"),
    bad("a summary", ["pool", "--summary", "a.txt", *TINY], "a.txt: unknown ending; expected one"),
    bad("several of a wrong setting", ["pool", *TINY, "--seed", "-1"], "seed=-1: expected a whole"),
    bad("window too large", ["cat.jpg", *TINY[:2], "--window", "25"], "does not fit into an input"),
    bad("window 0", ["cat.jpg", *TINY[:2], "--window", "0"], "window=0: expected a whole number"),
    bad("window below 0", ["cat.jpg", *TINY[:2], "--window", "-1"], "window=-1"),
    bad("no room", ["cat.jpg", *TINY[:2], "--window", "22"], "has no room in an input of 24×24"),
    bad("no margin", ["cat.jpg", *TINY, "--margin", "0"], "margin=0 leaves no room"),
    bad("model", ["cat.jpg", "--model", "embeded"], "unknown model 'embeded'"),
    bad("factory", ["cat.jpg", "--model", "tiny_model:mak"], "unknown model tiny_model:mak"),
    bad("no model", ["cat.jpg", "--model", "tiny_model:make_float"], "type float is no model"),
    bad("sampler", ["cat.jpg", *TINY, "--sampler", "gauss"], "unknown sampler 'gauss'"),
    bad("target", ["cat.jpg", *TINY, "--target", "5"], "target 5: expected 0 to 4"),
    bad("label", ["cat.jpg", *TINY, "--target", "do"], "'do': no such label; nearest: dog"),
    bad("node", ["cat.jpg", *TINY, "--node", "conv9"], "no node 'conv9'"),
    bad("cut off", ["cat.jpg", "--model", "cut.onnx"], "not a complete ONNX file", cut_off_onnx),
    bad("no weights", ["cat.jpg", "--model", "torchvision:alexnet@no.pth"], "no such weights file"),
    bad(
        "other weights",
        ["cat.jpg", "--model", "torchvision:squeezenet1_1@bent.pth"],
        "bent.pth: not a state dict",
        bent_weights,
    ),
    bad("no pictures", ["cat.jpg", *TINY, "--sampler", "marginal:empty"],
        "empty: no pictures in this folder", lambda folder: (folder / "empty").mkdir()),
    bad("no such folder", ["cat.jpg", *TINY, "--sampler", "marginal:nil"], "nil: no such folder"),
    bad("result", ["cat.jpg", *TINY, "-o", "cat.zarr"], "cat.zarr: expected a folder, in which"),
    bad("output", ["cat.jpg", *TINY, "-o", "file/out"], "not a folder that can be written",
        write("file")),
    bad("twice", ["cat.jpg", "pool/../cat.jpg", *TINY],
        "pool/../cat.jpg: named twice (also as cat.jpg)"),
    bad("preprocess", ["cat.jpg", "--model", "tiny_model:make_module", "--preprocess", "x.json"],
        "x.json: no such file; check the path"),
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
        "--preprocess", "mixed/as-it-is.json", "--sampler", "marginal:mixed"],
        "expected the input's, (3, 40, 60)", mixed_sizes),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message", "make"), BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    folder, monkeypatch, capsys, arguments, message, make
):
    make(folder)
    before = sorted(folder.rglob("*"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "argv", ["preddiff", "explain", *map(str, arguments)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    printed = capsys.readouterr()
    assert exit_.value.code == 2
    assert printed.err.startswith("preddiff: ")
    assert len(printed.err.splitlines()) == 1
    assert message in printed.err
    assert printed.out == ""
    assert sorted(folder.rglob("*")) == before


def test_interrupted_it_writes_nothing(folder, monkeypatch, capsys):
    from preddiff.pipeline import run_of_windows as running

    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "analyse", interrupt)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(
        sys, "argv", ["preddiff", "explain", "cat.jpg", *map(str, TINY), "-o", "out"]
    )
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 130
    assert "interrupted; no partly written files remain" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_slower_run_says_why_in_one_line(folder, here):
    (folder / "tiny_model.py").write_text(
        FACTORY + "class Choosy(nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) if x.sum() > -1e9 else x\n\n"
        "def make_choosy():\n"
        "    return Choosy(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()\n"
    )
    (folder / "as-it-is.json").write_text("{}")
    how = ("--preprocess", "as-it-is.json")
    settings = ("--model", "tiny_model:make_choosy", *how, *TINY[2:], "--engine", "incremental")
    with warnings.catch_warnings(action="default"):
        result = here("explain", "cat.jpg", *settings)
    assert result.returncode == 0, result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith("preddiff: ")]
    assert len(said) == 1
    assert "whole forward passes, as the network cannot be traced" in said[0]
    assert "Warning" not in result.stderr


def test_tolerance_and_engine_on_the_command_line(folder, here):
    result = here("explain", "cat.jpg", *TINY[:4], "--tolerance", 0.3, "--engine", "incremental")
    assert result.returncode == 0, result.stderr
    e = preddiff.load(folder / "out" / "cat.zarr")
    assert e.provenance["engine"] == "incremental"
    assert e.provenance["tolerance"] == 0.3


def test_repeated_options_are_explained_side_by_side(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    words = ["explain", "cat.jpg", *map(str, TINY), "--window", "8"]
    result = CliRunner().invoke(cli.app, words)
    assert result.exception is None, result.exception
    assert {path.name for path in (folder / "out").iterdir()} == {
        "cat.window-6.zarr", "cat.window-8.zarr", "cat.png", "cat.html",
    }  # fmt: skip
    assert result.stdout.startswith("window 6, ")
    assert result.stdout.splitlines()[-1] == str(Path("out/cat.html"))
    again = CliRunner().invoke(cli.app, [*words, "--resume"])
    assert "expected a command for each, with an --output of its own" in str(again.exception)


@pytest.mark.parametrize("window", ["4", "channel", "unit"])
def test_windows_of_a_hidden_node_on_the_command_line(folder, monkeypatch, window):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    words = ["explain", "cat.jpg", "--model", "tiny_model:make", "--source", "1", "--measure", "AD"]
    result = CliRunner().invoke(
        cli.app, [*words, "--sampler", "marginal:pool", "--window", window, "--samples", "2"]
    )
    assert result.exception is None, result.exception
    shown = {"4": "cat.html", "channel": "cat.png", "unit": "cat.zarr"}[window]
    assert result.stdout.splitlines()[-1] == str(Path("out") / shown)


def test_the_help_names_every_sampler_baseline_and_source():
    """The lists in the help are written by hand, as `--help` must not import the tables."""
    import inspect

    from preddiff.baselines.registry import BASELINES
    from preddiff.cli.explain import explain
    from preddiff.models.load import SPEC_SOURCES
    from preddiff.samplers.load import LOADERS

    parameters = inspect.signature(explain, eval_str=True).parameters
    texts = {name: parameters[name].annotation.__metadata__[0].help for name in parameters}
    asked = [name for name, each in BASELINES.items() if not each.always]
    assert not [name for name in asked if name not in texts["baseline"]]
    assert not [name for name in LOADERS if name not in texts["sampler"]]
    assert not [each.form for each in SPEC_SOURCES if each.form not in texts["model"]]


def invoke(folder, monkeypatch, *arguments):
    """Run `preddiff explain` in a folder."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return CliRunner().invoke(cli.app, ["explain", *map(str, arguments)])


def test_a_mask_is_never_replaced_by_the_figure(folder, monkeypatch):
    mask = folder / "cat.png"
    Image.new("L", (60, 40), 255).save(mask)
    before = mask.read_bytes()
    done = invoke(folder, monkeypatch, "cat.jpg", *TINY, "--mask", "cat.png", "-o", ".")
    assert "would overwrite the mask" in str(done.exception)
    done = invoke(folder, monkeypatch, "cat.jpg", *TINY, "-o", ".")
    assert "exists and was not written by preddiff" in str(done.exception)
    assert mask.read_bytes() == before


def test_the_result_of_another_input_is_never_replaced(folder, monkeypatch):
    for name in ("one", "two"):
        (folder / name).mkdir()
        values = np.full((40, 60, 3), len(name) + (name == "two"), np.uint8)
        Image.fromarray(values).save(folder / name / "scan.png")
    assert invoke(folder, monkeypatch, "one/scan.png", *TINY).exception is None
    assert invoke(folder, monkeypatch, "one/scan.png", *TINY).exception is None
    done = invoke(folder, monkeypatch, "two/scan.png", *TINY)
    assert "scan.zarr: the result of another input" in str(done.exception)


def test_a_full_disk_keeps_the_unfinished_work(folder, monkeypatch):
    def full(*_):
        raise ResultError("out/cat.zarr: cannot be written (No space left on device)")

    with monkeypatch.context() as patched:
        patched.setattr(store, "save", full)
        done = invoke(folder, monkeypatch, "cat.jpg", *TINY, "--resume")
    assert "No space left" in str(done.exception)
    assert [path.name for path in (folder / "out").iterdir()] == ["cat.unfinished.npz"]
    assert invoke(folder, monkeypatch, "cat.jpg", *TINY, "--resume").exception is None
    assert not (folder / "out" / "cat.unfinished.npz").exists()


@pytest.mark.parametrize(
    ("name", "written", "shown"),
    [
        ("caf\udce9.jpg", "caf%E9", r"caf\xe9.jpg"),
        ("a\x1b]0;owned\x07\n.jpg", "a\x1b]0;owned\x07\n", r"a\x1b]0;owned\x07\n.jpg"),
    ],
)
def test_a_name_that_no_terminal_should_print_loses_nothing(folder, here, name, written, shown):
    (folder / "cat.jpg").rename(folder / name)
    # The second replaces what the first wrote, which had a real standard output.
    first = [run("explain", name, *TINY, cwd=folder)] if "\udce9" in name else []
    for done in (*first, here("explain", name, *TINY)):
        assert done.returncode == 0, done.stderr
        lines = (done.stdout + done.stderr).splitlines()
        assert all(line.isprintable() for line in lines), lines
    for ending in (".zarr", ".png", ".html"):
        assert (folder / "out" / f"{written}{ending}").exists()
    assert preddiff.load(folder / "out" / f"{written}.zarr").provenance["input"] == shown
    page = (folder / "out" / f"{written}.html").read_text(encoding="utf-8")
    assert shown in page
    assert "\x1b" not in page
    done = here("explain", name, *TINY, "--sampler", "none")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_labels_of_strangers_are_printed_safely(folder, here):
    source = (folder / "tiny_model.py").read_text()
    for n, word in enumerate(("ant", "bee", "dog", "elk")):
        source = source.replace(f'"{word}"', f'"{word}\\x1b[{n}m\\r\\u202e"')
    (folder / "tiny_model.py").write_text(source)
    for command in (("explain", "cat.jpg", *TINY, "--target", "all"), ("model", TINY[1])):
        done = here(*command)
        assert done.returncode == 0, done.stderr
        assert r"ant\x1b[0m\r\u202e" in done.stdout
        assert all(line.isprintable() for line in done.stdout.splitlines())


def test_a_name_that_is_too_long_for_results_is_refused_before_the_work(folder, monkeypatch):
    name = "x" * 245 + ".jpg"
    (folder / "cat.jpg").rename(folder / name)
    done = invoke(folder, monkeypatch, name, *TINY)
    assert "no result can have this name" in str(done.exception)


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_command_writes_the_map_so_far(folder, here, name, status):
    (folder / "slow_model.py").write_text(
        "import os, signal\nimport numpy as np\nseen = 0\n\n"
        "def make():\n"
        "    weights = np.random.default_rng(1).normal(size=3 * 24 * 24) / 40\n"
        "    def predict(inputs):\n"
        "        global seen\n"
        "        seen += len(inputs)\n"
        "        if 400 <= seen < 400 + len(inputs) and not os.path.exists('told'):\n"
        "            open('told', 'w').close()\n"
        f"            os.kill(os.getpid(), signal.{name})\n"
        "        p = 1 / (1 + np.exp(-inputs.reshape(len(inputs), -1) @ weights))\n"
        "        return np.stack([p, 1 - p], axis=1)\n"
        "    return predict\n"
    )
    Image.new("RGB", (24, 24), "teal").save(folder / "small.png")
    asked = ("explain", "small.png", "--model", "slow_model:make", "--window", 6, "--stride", 2)
    first = run(*asked, cwd=folder)
    assert first.returncode == status, first.stderr
    assert (
        "interrupted; out/small.html is the map so far; the same command with --res" in first.stderr
    )
    assert preddiff.load(folder / "out/small.zarr").is_partial
    assert (folder / "out/small.unfinished.npz").exists()
    sys.modules.pop("slow_model", None)  # of another folder
    again = here(*asked, "--resume")
    assert again.returncode == 0, again.stderr
    assert not preddiff.load(folder / "out/small.zarr").is_partial
    assert not (folder / "out/small.unfinished.npz").exists()
