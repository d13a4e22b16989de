"""Strips: slices of maps over a scan, at the peak, each row with its own scale."""

import numpy as np
import pytest
from nibabel.affines import from_matvec

import preddiff
from preddiff.models import Linear
from preddiff.render import colours
from preddiff.render.strips import Strip, contrast, peak, strips
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant


def test_the_peak_is_the_largest_absolute_value():
    values = np.full((3, 4, 5), np.nan)
    values[0, 1, 2], values[2, 3, 4] = 1, -2
    assert peak(values) == (2, 3, 4)


@pytest.fixture
def explanation(rng):
    """Of a scan that is stored from left to left, with one bright voxel that decides."""
    scan = np.ones((1, 6, 7, 8), dtype=np.float32)
    scan[0, 2, 3, 6] = 5
    weights = np.zeros(scan.shape)
    weights[0, 2, 3, 6] = 0.5
    model = Linear(weights, -1.0, labels=["$\\frac{ b$", "patient"])
    e = preddiff.explain(model, scan, "all", sampler=Constant(1.0), window=1)
    affine = from_matvec(np.diag([-2.0, 2, 2]), (7, -6, -4))
    return Explanation(e.data.assign(affine=(("world", "voxel"), affine, {})))


def test_the_figure_of_a_volume_goes_through_its_peak(explanation, tmp_path):
    figure = preddiff.figure(explanation)
    panels, bars = figure.axes[:-2], figure.axes[-2:]
    assert len(panels) == 2 * 6
    assert [p.get_title(loc="left") for p in panels[:6:2]] == [
        "sagittal, x = −5 mm", "coronal, y = 0 mm", "axial, z = 0 mm",
    ]  # fmt: skip
    coronal, reverse = (p.get_images()[0].get_array().astype(int) for p in panels[8:10])
    rows, columns = np.nonzero(coronal[..., 0] > coronal[..., 2] + 50)
    assert (rows.tolist(), columns.tolist()) == ([3], [1])  # on the left, where x is negative
    grey = np.delete(coronal.reshape(-1, 3), 3 * 8 + 1, axis=0)
    np.testing.assert_array_equal(np.delete(reverse.reshape(-1, 3), 3 * 8 + 1, axis=0), 255 - grey)
    letters = [text.get_text() for text in panels[8].texts]
    assert letters == ["L", "R", "I", "S"]
    assert "bits" in bars[0].get_ylabel()
    low, high = bars[0].get_ylim()
    assert low == -high == -colours.limit(explanation.relevance.values[0])
    assert "not for diagnosis" in figure.get_suptitle()
    assert "15%" in figure.get_supxlabel()
    labels = [text.get_text() for panel in (panels[0], panels[6]) for text in panel.texts]
    assert any("patient\np = 0.8176" in label for label in labels)
    figure.savefig(tmp_path / "figure.png")


def test_strips_of_different_maps_have_their_own_scales(rng, tmp_path):
    scan = rng.random((5, 6, 7))
    rows = [
        Strip("weights", scan, scan - 0.5, None, [("axial", 2)], "weight", threshold=0.1),
        Strip("flat", np.zeros_like(scan), 0 * scan, None, [("axial", 1), ("coronal", 2)], "bits",
              outline=scan > 0.5),
    ]  # fmt: skip
    figure = strips(rows, "two maps")
    assert [bar.get_ylabel() for bar in figure.axes[-2:]] == ["weight", "bits"]
    assert figure.axes[-1].get_ylim() == (-1, 1)
    assert "10% or 15%" in figure.get_supxlabel()
    assert "green: where the scan truly differs" in figure.get_supxlabel()
    figure.savefig(tmp_path / "figure.png")


def test_contrast_leaves_out_the_background_and_the_extremes(rng):
    scan = np.zeros((20, 20, 20))
    scan[5:15, 5:15, 5:15] = rng.uniform(10, 20, size=(10, 10, 10))
    scan[7, 7, 7] = 1000
    low, high = contrast(scan)
    assert low == 0  # the background stays black
    assert 19.5 < high < 20
    assert contrast(np.ones((3, 3, 3))) == (0, 1)
