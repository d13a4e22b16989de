"""preddiff explain of folders, tables and several files."""

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import preddiff
from command_line import TINY
from preddiff.media import atomic
from preddiff.samplers import load as samplers

QUICK = (*TINY, "--samples", 2, "--sampler", "constant:0.5", "--engine", "dense")
QUICK = (*QUICK, "--results-only")


def summary(folder, name="out/summary.csv"):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_explained_and_what_fails_is_said_while_the_others_go_on(folder, here):
    (folder / "pool" / "below").mkdir()
    Image.new("RGB", (40, 30), "teal").save(folder / "pool" / "below" / "0.png")
    (folder / "pool" / "2.png").write_bytes(b"no picture")
    done = here("explain", "pool", *QUICK)
    assert done.returncode == 1, done.stderr
    assert "preddiff: pool/2.png: not a picture that can be read" in done.stderr
    assert "preddiff: 1 of 5 inputs failed" in done.stderr
    assert done.stdout.splitlines()[-1] == "out/summary.csv"
    rows = {row["name"]: row for row in summary(folder)}
    assert list(rows) == ["0", "1", "2", "3", "below/0"]
    assert [row["state"] for row in rows.values()] == [
        "finished", "finished", "failed", "finished", "finished",
    ]  # fmt: skip
    assert rows["2"]["error"].startswith("pool/2.png: not a picture")
    below = rows["below/0"]
    e = preddiff.load(folder / "out" / below["result"])
    assert below["input"] == "pool/below/0.png"
    assert (below["label"], int(below["target"])) == (e.labels[0], int(e.data["target"][0]))
    assert float(below["prediction"]) == float(e.prediction[0])
    assert float(below["relative_error"]) == pytest.approx(float(e.relative_errors[0]))
    assert int(below["draws"]) == e.provenance["evaluations"] - 1
    assert not list((folder / "out").rglob("*.html"))


def test_an_error_that_is_nobodys_mistake_is_of_one_input_only(folder, here, monkeypatch):
    from preddiff.pipeline import subject

    make = subject.make

    def fragile(model, source, *rest):
        if source.name == "1.png":
            raise RuntimeError("no kernel\nof that shape")
        return make(model, source, *rest)

    monkeypatch.setattr(subject, "make", fragile)
    done = here("explain", "pool", *QUICK)
    assert done.returncode == 1
    assert "preddiff: RuntimeError: no kernel\n" in done.stderr
    assert [row["state"] for row in summary(folder)].count("finished") == 3


def test_a_table_gives_inputs_their_own_targets_masks_and_names(folder, here):
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 20:30] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    (folder / "study").mkdir()
    (folder / "study" / "study.csv").write_text(
        "id;path;target;mask;group\n"
        "anna;../pool/0.png;dog;;a\n"
        "ben;../pool/0.png;top2;../mask.png;a\n"
        "carl;../pool/1.png;n/a;;b\n"
    )
    done = here("explain", "--table", "study/study.csv", *QUICK, "--target", "4")
    assert done.returncode == 0, done.stderr
    rows = summary(folder)
    assert [row["name"] for row in rows] == ["anna", "ben", "ben", "carl"]
    assert (rows[0]["label"], rows[3]["label"]) == ("dog", "elk")
    ben = preddiff.load(folder / "out" / "ben.zarr")
    assert ben.provenance["mask"] == "mask.png"
    assert len(ben.evidence.window) < 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,id\na.png,../b\n", "line 2: id '../b' cannot be the name of a file"),
        ("path,id\na.png,b\nb.png,B\n", "lines 2, 3: the same id 'b'"),
        ("path,id\na.png,\n", "line 2: no 'id'"),
        ("file\na.png\n", "no column 'path'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(folder, here, text, message):
    (folder / "study.csv").write_text(text)
    done = here("explain", "--table", "study.csv", *QUICK)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (folder / "out").exists()


def test_inputs_of_one_name_get_results_of_their_own(folder, here):
    for name in ("a", "b"):
        (folder / name).mkdir()
        Image.new("RGB", (40, 30), "teal" if name == "a" else "red").save(folder / name / "0.png")
    done = here("explain", "a/0.png", "b/0.png", "pool/1.png", "cat.jpg", *QUICK)
    assert done.returncode == 0, done.stderr
    assert [row["result"] for row in summary(folder)] == [
        "a-0.png.zarr", "b-0.png.zarr", "1.zarr", "cat.zarr",
    ]  # fmt: skip


def test_the_sampler_is_loaded_once(folder, here, monkeypatch):
    loads = []
    load = samplers.SpecLoader.load

    def counted(self, *rest):
        loads.append(self.syntax)
        return load(self, *rest)

    monkeypatch.setattr(samplers.SpecLoader, "load", counted)
    words = (*TINY, "--samples", 2, "--sampler", "blurred", "--results-only")
    assert here("explain", "pool", *words).returncode == 0
    assert loads == ["blurred, blurred:SIGMA"]


def test_what_is_finished_is_not_done_again_and_what_is_not_is(folder, here):
    assert here("explain", "pool", *QUICK).returncode == 0
    before = summary(folder)
    kept = (folder / "out" / "0.zarr" / ".zattrs").stat().st_mtime_ns
    (folder / "out" / "3.zarr").rename(folder / "3.zarr")
    done = here("explain", "pool", *QUICK, "--resume")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("finished before") == 3
    assert (folder / "out" / "0.zarr" / ".zattrs").stat().st_mtime_ns == kept
    after = summary(folder)
    for row in (*before, *after):
        row.pop("seconds")
    assert after == before
    one, other = preddiff.load(folder / "3.zarr"), preddiff.load(folder / "out" / "3.zarr")
    np.testing.assert_array_equal(one.evidence, other.evidence)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--seed", 1], "seed was 0, is 1"),
        (["--sampler", "constant:0.25"], "the sampler changed"),
        (["--target", "top2"], "other targets are asked for"),
        (["--model", "tiny_model:other"], "the model changed"),
    ],
)
def test_finished_work_of_another_kind_is_refused_by_what_changed(folder, here, changed, message):
    with (folder / "tiny_model.py").open("a") as file:
        file.write("\ndef other():\n    network = make()\n    torch.manual_seed(1)\n")
        file.write("    layers = [nn.Flatten(), nn.Linear(3 * 24 * 24, 5)]\n")
        file.write("    network = nn.Sequential(*layers).eval()\n")
        file.write("    how = Preprocessing(size=(24, 24), short_side=24, mean=(0.5,) * 3)\n")
        file.write("    return Network(network, how, spec='tiny', labels=list('abcde'))\n")
    assert here("explain", "pool", *QUICK).returncode == 0
    done = here("explain", "pool", *asked_for({changed[0]: changed[1]}), "--resume")
    assert done.returncode == 2
    assert "out/0.zarr: a finished result, but not of what is asked for now" in done.stderr
    assert message in done.stderr


def asked_for(changes):
    """The options of a quick run, some of them changed."""
    *pairs, flag = QUICK
    options = dict(zip(pairs[::2], pairs[1::2], strict=True)) | changes
    return [word for pair in options.items() for word in pair] + [flag]


def test_a_full_disk_ends_the_run_with_what_is_done(folder, here, monkeypatch):
    sync, written = atomic._sync_tree, []

    def full(path):
        written.append(path)
        if path.name == "1.zarr":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(path)

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_sync_tree", full)
        done = here("explain", "pool", *QUICK)
    assert done.returncode == 2
    assert "out/1.zarr: cannot be written (No space left on device)" in done.stderr
    assert [row["state"] for row in summary(folder)] == ["finished", *["not begun"] * 3]
    assert here("explain", "pool", *QUICK, "--resume").returncode == 0
    assert {row["state"] for row in summary(folder)} == {"finished"}
    assert not list(Path("out").glob("*.npz"))


def test_a_summary_of_somebody_else_is_not_replaced(folder, here):
    (folder / "mine.csv").write_text("name\n")
    done = here("explain", "pool", *QUICK, "--summary", "mine.csv")
    assert done.returncode == 2
    assert "mine.csv: exists and was not written by preddiff" in done.stderr
    for _ in range(2):
        assert here("explain", "pool/0.png", "cat.jpg", *QUICK, "--overwrite").returncode == 0


def test_a_budget_leaves_inputs_for_later(folder, here, monkeypatch):
    from preddiff.cli import one_input

    assert here("explain", "pool", *QUICK, "--budget", "10").returncode == 2
    first = iter([False, False, True])
    monkeypatch.setattr(one_input.Errand, "is_over", property(lambda _: next(first, True)))
    done = here("explain", "pool", *QUICK, "--budget", "1.5h")
    assert done.returncode == 0, done.stderr
    assert "the time is up, 3 of 4 inputs are not begun" in done.stderr
    states = [row["state"] for row in summary(folder)]
    assert states == ["finished", *["not begun"] * 3]


def test_the_time_that_is_left_is_that_of_each_combination(folder, here, monkeypatch):
    from preddiff.pipeline import comparison

    budgets = []
    explain = comparison.explain

    def noted(*args, **settings):
        budgets.append(settings["budget"])
        return explain(*args, **settings)

    monkeypatch.setattr(comparison, "explain", noted)
    done = here("explain", "cat.jpg", *QUICK, "--window", 8, "--budget", "2min")
    assert done.returncode == 0, done.stderr
    assert len(budgets) == 2
    assert all(30 < budget < 60 for budget in budgets)
