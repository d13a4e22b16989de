"""Results in other programs' formats."""

import numpy as np
import pytest
import xarray as xr
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError, SettingError


@pytest.fixture
def explanation(rng):
    picture = rng.random((3, 12, 10))
    return preddiff.explain(
        Softmax(picture.shape), picture, targets="top2", window=4, stride=3, samples=3
    )


@pytest.mark.parametrize("write", [preddiff.page, preddiff.export])
def test_a_file_never_replaces_a_folder(tmp_path, explanation, write):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a.png" / "dear.txt").write_text("dear")
    with pytest.raises(ResultError, match="is a folder, expected the name of a file"):
        write(explanation, tmp_path / "a.png")
    assert (tmp_path / "a.png" / "dear.txt").exists()


def test_exports(tmp_path, explanation):
    preddiff.export(explanation, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["relevance"], explanation.relevance)
    preddiff.export(explanation, tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", engine="scipy") as data:
        np.testing.assert_array_equal(data.relevance, explanation.relevance)
        assert data.attrs["model"] == explanation.provenance["model"]
    preddiff.export(explanation, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as figure:
        facts, labels = explanation.provenance, ", ".join(explanation.labels)
        assert figure.info["Software"] == "preddiff"
        assert figure.info["Title"] == f"{labels} in {facts['input']}"
        assert figure.info["Target"] == labels
        assert [figure.info[name] for name in ("Model", "Sampler", "Seed", "Version")] == [
            facts["model"], facts["sampler"], "0", facts["preddiff_version"],
        ]  # fmt: skip
    with pytest.raises(
        SettingError, match="unknown ending '.tiff'; expected one of .png, .pdf, .svg, .npz, .nc"
    ):
        preddiff.export(explanation, tmp_path / "a.tiff")


def test_only_a_figure_shows_several(tmp_path, explanation):
    preddiff.export([explanation, explanation], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(
        SettingError, match=r"only a figure \(.png, .pdf, .svg\) can show several expl"
    ):
        preddiff.export([explanation, explanation], tmp_path / "a.npz")
    assert not (tmp_path / "a.npz").exists()


def test_nifti_is_for_scans(tmp_path, explanation):
    with pytest.raises(SettingError, match="has no affine: NIfTI is for scans"):
        preddiff.export(explanation, tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".png", ".npz", ".nc", ".html"])
def test_a_file_that_preddiff_did_not_write_is_never_replaced(tmp_path, explanation, ending):
    write = preddiff.page if ending == ".html" else preddiff.export
    mine, ours = tmp_path / f"mine{ending}", tmp_path / f"ours{ending}"
    mine.write_text("mine")
    with pytest.raises(ResultError, match="exists and was not written by preddiff"):
        write(explanation, mine)
    assert mine.read_text() == "mine"
    write(explanation, ours)
    write(explanation, ours)


@pytest.mark.parametrize("ending", [".pdf", ".svg"])
def test_figures_without_pixels(tmp_path, explanation, ending):
    path = preddiff.export(explanation, tmp_path / f"a{ending}")
    assert path.read_bytes().startswith(b"%PDF" if ending == ".pdf" else b"<?xml")
    first = path.stat().st_size
    assert preddiff.export(explanation, path).stat().st_size == first
    path.write_bytes(path.read_bytes().replace(b"preddiff", b"somebody"))
    with pytest.raises(ResultError, match="was not written by preddiff"):
        preddiff.export(explanation, path)


def test_targets_that_a_result_does_not_have(tmp_path, explanation):
    with pytest.raises(SettingError, match="target='x': expected one of the result's, class 0"):
        preddiff.export(explanation, tmp_path / "a.png", target="x")
