"""preddiff export: each format, and what is no result."""

from pathlib import Path

import nibabel
import numpy as np
from typer.testing import CliRunner

import preddiff
from command_line import TINY
from preddiff import cli
from preddiff.models import Linear


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


def test_a_scan_as_its_reader_wants_it(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = rng.normal(size=(3, 1, 4, 5, 6))
    model = Linear(weights, labels=["a/b", "A b", "c"])
    scan = nibabel.Nifti1Image(rng.normal(size=(6, 5, 4)).astype(np.float32), np.eye(4))
    inside = np.zeros((4, 5, 6), bool)
    inside[:2] = True
    e = preddiff.explain(model, scan, "all", sampler="constant:0", window=2, mask=inside)
    preddiff.save(e, "scan.zarr")

    def invoke(*options):
        done = CliRunner().invoke(cli.app, ["export", "scan.zarr", *options])
        return done.stdout.split() if done.exception is None else str(done.exception)

    written = invoke("--to", "nifti", "--each-target", "--outside", "0")
    assert written == ["scan.a-b.nii.gz", "scan.A-b-2.nii.gz", "scan.c.nii.gz"]
    for name, relevance in zip(written, e.relevance.values, strict=True):
        stored = nibabel.load(name).get_fdata()
        np.testing.assert_allclose(stored.T, np.nan_to_num(relevance), rtol=1e-6)
    assert np.isnan(relevance).any()
    invoke("--to", "nifti")
    assert np.isnan(nibabel.load("scan.nii.gz").get_fdata()).any()
    beside = ["--beside", "scan.c.nii.gz", "--slices", "axial:1,coronal:2", "--threshold", "0.3"]
    assert invoke("--to", "svg", *beside) == ["scan.svg"]
    assert invoke("--to", "pdf", *beside) == ["scan.pdf"]
    for options, message in [
        (["--to", "npz", "--slices", "axial:1"], "--slices: is of figures (png, pdf, svg)"),
        (["--to", "png", "--outside", "0"], "--outside: is of --to nifti"),
    ]:
        assert message in invoke(*options)


def test_what_is_no_result_is_one_line(here):
    done = here("export", "cat.zarr", "--to", "png")
    assert done.returncode == 2
    assert "cat.zarr: no such result" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_table_of_the_regions_of_an_atlas(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scan = nibabel.Nifti1Image(rng.normal(size=(6, 5, 4)).astype(np.float32), np.eye(4))
    model = Linear(rng.normal(size=(1, 4, 5, 6)))
    preddiff.save(preddiff.explain(model, scan, sampler="constant:0", window=2), "scan.zarr")
    atlas = np.zeros((6, 5, 4), np.int16)
    atlas[:3], atlas[4:] = 1, 2
    nibabel.save(nibabel.Nifti1Image(atlas, np.eye(4)), "atlas.nii.gz")
    nibabel.save(nibabel.Nifti1Image(atlas, np.diag([2, 1, 1, 1])), "other.nii.gz")
    Path("atlas.csv").write_text("index,name\n1,left\n2,right\n")

    def invoke(*options):
        done = CliRunner().invoke(cli.app, ["export", "scan.zarr", *options])
        return done.stdout.strip() if done.exception is None else str(done.exception)

    asked = ("--to", "csv", "--regions", "atlas.nii.gz")
    assert invoke(*asked, "--names", "atlas.csv") == "scan.regions.csv"
    head, *rows = Path("scan.regions.csv").read_text().splitlines()
    columns = head.split(",")
    assert columns[:5] == ["target", "region", "name", "elements", "relevance"]
    assert columns[5:8] == ["standard_error", "total", "speaks"]
    assert columns[8:] == ["x_from", "x_to", "y_from", "y_to", "z_from", "z_to"]
    assert sorted(row.split(",")[2] for row in rows) == ["left", "right"]
    assert invoke(*asked) == "scan.regions.csv"
    Path("scan.regions.csv").write_text("mine\n")
    assert "scan.regions.csv" in invoke(*asked)
    assert Path("scan.regions.csv").read_text() == "mine\n"
    assert "say which with --regions" in invoke("--to", "csv")
    assert "are of --to csv; leave them out" in invoke("--to", "npz", "--regions", "4x4")
    assert "other.nii.gz" in invoke("--to", "csv", "--regions", "other.nii.gz")
