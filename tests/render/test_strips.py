"""Figures 9 to 12 of the paper, on a small cohort."""

import pytest
from preddiff.studies.paper.material import Material

from preddiff.studies.linear_maps import study
from preddiff.studies.paper import volumes

pytest.importorskip("sklearn")
pytest.importorskip("nilearn", reason="nilearn ships the template")


@pytest.fixture
def small(monkeypatch, tmp_path):
    made = study.make(0, "individual", spacing=8, train=40, test=16)
    monkeypatch.setattr(volumes, "_made", lambda seed, spacing: made)
    monkeypatch.setattr(volumes, "WINDOW", 1)
    return Material(tmp_path)


@pytest.mark.parametrize(("name", "rows", "pairs"), [("fig9", 2, 2), ("fig11", 3, 3)])
def test_a_row_for_each_map_and_a_pair_for_each_slice(small, name, rows, pairs):
    drawn = volumes.FIGURES[name](small)
    assert len(drawn.figure.axes) == rows * (2 * pairs + 1)
    assert "not for diagnosis" in drawn.figure.get_suptitle()
    assert "Simulated cohort" in drawn.caption
    assert "8 mm" in drawn.caption
    titles = [panel.get_title(loc="left") for panel in drawn.figure.axes[: 2 * pairs : 2]]
    assert all(title.startswith("sagittal, x = ") for title in titles)


def test_slices_meet_in_what_the_patient_lost(small):
    made = volumes._study(small)
    subject = volumes._patient(made)
    values = volumes._relevance(made, subject, 1)
    x, y, z = (number for _, number in volumes._cuts(made, subject, values))
    truth = made.cohort.truth(subject)
    assert truth[z, y, x]
    assert abs(values[z, y, x]) == abs(values[truth]).max()


def test_the_patient_lost_signal_on_the_left(small):
    made = volumes._study(small)
    subject = volumes._patient(made)
    assert made.cohort.patient[subject]
    assert made.probabilities[subject] > 0.5
    assert subject >= made.train
