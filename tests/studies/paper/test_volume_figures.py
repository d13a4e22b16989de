"""Figures of volumes, on a small study."""

import gc
import weakref

import pytest

from preddiff.studies.linear_maps.study import simulated_study
from preddiff.studies.paper import volume_figures
from preddiff.studies.paper.workspace import Workspace

pytest.importorskip("nilearn", reason="nilearn ships the template")


@pytest.fixture
def small(monkeypatch):
    """Studies of few subjects and large voxels, and a list of those that were made."""
    made = []

    def make(seed, effect, _spacing):
        study = simulated_study(seed, effect, 8, train=40, test=20)
        made.append(weakref.ref(study))
        return study

    monkeypatch.setattr(volume_figures, "simulated_study", make)
    return made


def test_figures_share_a_study_that_is_let_go_with_the_workspace(small):
    workspace = Workspace(None)  # no folder: these figures need neither networks nor pictures
    made = volume_figures.fig9(workspace)
    assert "right about" in made.caption
    assert "8 mm" in made.caption
    volume_figures.fig11(workspace)
    assert len(small) == 1
    del workspace, made
    gc.collect()
    assert small[0]() is None


def test_the_usual_sampler_is_fitted_once_and_others_are_not_kept(small, monkeypatch):
    fitted = []
    workspace = Workspace(None)
    study = volume_figures._shared_study(workspace)
    real = type(study).sampler
    monkeypatch.setattr(type(study), "sampler", lambda *a: noted(fitted, real(*a)))
    subject = volume_figures._shown_patient(study)
    for window in (3, 2, 3):
        volume_figures._relevance(workspace, subject, window)
    gc.collect()
    assert [each() is not None for each in fitted] == [True, False]


def noted(references, made):
    references.append(weakref.ref(made))
    return made
