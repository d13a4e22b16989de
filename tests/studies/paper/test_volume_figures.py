"""Figures 9 to 12, on a small study."""

import gc
import weakref

import pytest

from preddiff.studies.linear_maps.study import simulated_study
from preddiff.studies.paper import volume_figures
from preddiff.studies.paper.workspace import Workspace

pytest.importorskip("sklearn")
pytest.importorskip("nilearn", reason="nilearn ships the template")


@pytest.fixture
def made(monkeypatch):
    """References to the studies that were made: of few subjects, large voxels and small windows."""
    references = []

    def make(seed, effect, _spacing):
        study = simulated_study(seed, effect, 8, train=40, test=16)
        references.append(weakref.ref(study))
        return study

    monkeypatch.setattr(volume_figures, "simulated_study", make)
    monkeypatch.setattr(volume_figures, "WINDOW", 1)
    return references


@pytest.fixture(scope="module")
def kept():
    """A workspace whose study is made once for several tests."""
    return Workspace(None)  # no folder: these figures need neither networks nor pictures


@pytest.mark.parametrize(("name", "rows", "pairs"), [("fig9", 2, 2), ("fig11", 3, 3)])
def test_a_row_for_each_map_and_a_pair_for_each_slice(made, kept, name, rows, pairs):
    drawn = volume_figures.VOLUME_FIGURES[name](kept)
    assert len(drawn.figure.axes) == rows * (2 * pairs + 1)
    assert "not for diagnosis" in " ".join(drawn.figure.get_suptitle().split())
    assert "A simulated cohort" in drawn.caption
    assert "8 mm" in drawn.caption
    titles = [panel.get_title(loc="left") for panel in drawn.figure.axes[: 2 * pairs : 2]]
    assert all(title.startswith("sagittal, x = ") for title in titles)


def test_slices_meet_in_what_the_patient_lost(made, kept):
    study = volume_figures._shared_study(kept)
    subject = volume_figures._shown_patient(study)
    values = volume_figures._relevance(kept, subject, 1)
    x, y, z = (number for _, number in volume_figures._cuts(study, subject, values))
    truth = study.cohort.truth(subject)
    assert truth[z, y, x]
    assert abs(values[z, y, x]) == abs(values[truth]).max()


def test_the_patient_lost_signal_on_the_left(made, kept):
    study = volume_figures._shared_study(kept)
    subject = volume_figures._shown_patient(study)
    assert study.cohort.patient[subject]
    assert study.probabilities[subject] > 0.5
    assert subject >= study.train
    lost = [
        n for n, loss in zip(study.cohort.names, study.cohort.loss[subject], strict=True) if loss
    ]
    assert any(name.startswith("left") for name in lost)


def test_figures_share_a_study_that_is_let_go_with_the_workspace(made):
    workspace = Workspace(None)
    for name in ("fig9", "fig11"):
        volume_figures.VOLUME_FIGURES[name](workspace)
    assert len(made) == 1
    del workspace
    gc.collect()
    assert made[0]() is None


def test_windows_are_hidden_by_what_controls_have_where_asked(made, kept):
    drawn = volume_figures.VOLUME_FIGURES["fig9"](kept)
    assert "l = k + 4" in drawn.caption
    workspace = Workspace(None, volume_sampler="cohort")
    workspace.once("study", lambda: volume_figures._shared_study(kept))
    compared = volume_figures.VOLUME_FIGURES["fig9"](workspace)
    assert "in controls, given what lies more than 12 mm away" in compared.caption
    assert set(workspace._kept) == {"study", "cohort sampler"}


def test_the_usual_sampler_is_fitted_once_and_others_are_not_kept(made, monkeypatch):
    fitted = []
    study = volume_figures._shared_study(Workspace(None))
    real = type(study).sampler

    def noted(*arguments):
        sampler = real(*arguments)
        fitted.append(weakref.ref(sampler))
        return sampler

    monkeypatch.setattr(type(study), "sampler", noted)
    workspace = Workspace(None)
    workspace.once("study", lambda: study)
    subject = volume_figures._shown_patient(study)
    for window in (1, 2, 1):
        volume_figures._relevance(workspace, subject, window)
    gc.collect()
    assert [each() is not None for each in fitted] == [True, False]
