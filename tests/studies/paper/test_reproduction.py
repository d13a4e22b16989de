"""What can be made anew, and what is said where it cannot."""

import pytest
from matplotlib.figure import Figure

from conftest import DATA, needs_data
from preddiff.errors import InputError, ResultError, SettingError
from preddiff.media import ours
from preddiff.studies.paper import reproduction
from preddiff.studies.paper.figure import PaperFigure
from preddiff.studies.paper.reproduction import REPRODUCIBLE, reproduce
from preddiff.studies.paper.workspace import Workspace


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(InputError, match=r"images\.csv: no such file.*say with --data or PREDDIFF"):
        next(iter(reproduce(["fig1"], tmp_path, tmp_path / "out")))
    with pytest.raises(InputError, match=r"bvlc_googlenet\.onnx: no such file.*--data"):
        Workspace(tmp_path).network("GoogLeNet")


def test_figures_of_pictures_need_a_folder_and_say_so_before_any_work(tmp_path):
    with pytest.raises(SettingError, match="fig1, claims: made from networks and pictures") as info:
        reproduce(["fig1", "fig9", "claims"], None, tmp_path / "out")
    assert "fig9" not in str(info.value)
    assert not (tmp_path / "out").exists()


def test_captions_are_there_after_every_figure(tmp_path, monkeypatch):
    def figure(name):
        return lambda workspace: PaperFigure(Figure(), f"{name}, seed {workspace.seed}.")

    figures = {name: figure(name) for name in ("fig9", "fig10")}
    monkeypatch.setattr(reproduction, "FIGURES", figures)
    lines = []
    each = reproduce(["fig9", "fig10"], None, tmp_path, seed=3, report=lines.append)
    path, seconds = next(each)
    assert (path, seconds >= 0) == (tmp_path / "fig9.png", True)
    assert (tmp_path / "captions.md").read_text() == ours.signed("**fig9.** fig9, seed 3.\n")
    assert [path.name for path, _ in each] == ["fig10.png"]
    captions = (tmp_path / "captions.md").read_text()
    assert captions == ours.signed("**fig9.** fig9, seed 3.\n\n**fig10.** fig10, seed 3.\n")
    assert lines == ["fig9: 1 of 2", "fig10: 2 of 2"]
    again = list(reproduce(["fig9", "fig10"], None, tmp_path))
    assert [path.name for path, _ in again] == ["fig9.png", "fig10.png"]


@pytest.mark.parametrize("name", ["fig10.png", "captions.md", "claims.md"])
def test_a_file_that_is_no_figure_is_refused_before_the_work(tmp_path, monkeypatch, name):
    monkeypatch.setattr(reproduction, "FIGURES", {})
    (tmp_path / name).write_text("mine")
    with pytest.raises(ResultError, match=f"{name}: exists and was not written by preddiff"):
        reproduce(["fig9", "fig10", "claims"], tmp_path, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


@needs_data
def test_figures_in_a_hurry(tmp_path):
    made = list(reproduce(["fig1", "fig6"], DATA, tmp_path, hurry=32))
    assert [path.name for path, _ in made] == ["fig1.png", "fig6.png"]
    captions = (tmp_path / "captions.md").read_text()
    assert "**fig1.**" in captions
    assert "**fig6.**" in captions


def test_everything_but_the_drawing_of_the_method_is_known():
    assert {f"fig{n}" for n in range(1, 14) if n != 2} | {"claims"} == set(REPRODUCIBLE)
