"""Strips: slices of maps over a scan, at the peak, each row with its own scale."""

import numpy as np
import pytest
from nibabel.affines import from_matvec

import preddiff
from preddiff.errors import InputError, SettingError
from preddiff.media import maps
from preddiff.media.grid import Grid
from preddiff.models import Linear
from preddiff.render import colours
from preddiff.render.strips import Strip, contrast, peak, strips
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant


def test_the_peak_is_the_largest_absolute_value():
    values = np.full((3, 4, 5), np.nan)
    values[0, 1, 2], values[2, 3, 4] = 1, -2
    assert peak(values) == (2, 3, 4)
    assert peak(0 * values) == (1, 2, 2)  # of zeros, a place where the scan is


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
    panels, bars = figure.axes[:-1], figure.axes[-1:]
    assert len(panels) == 6  # of two classes, the other's map is minus this one
    assert [p.get_title(loc="left") for p in panels[:6:2]] == [
        "sagittal, x = −5 mm", "coronal, y = 0 mm", "axial, z = 0 mm",
    ]  # fmt: skip
    coronal, reverse = (p.get_images()[0].get_array().astype(int) for p in panels[2:4])
    rows, columns = np.nonzero(coronal[..., 0] > coronal[..., 2] + 50)
    assert (rows.tolist(), columns.tolist()) == ([3], [1])  # on the left, where x is negative
    grey = np.delete(coronal.reshape(-1, 3), 3 * 8 + 1, axis=0)
    np.testing.assert_array_equal(np.delete(reverse.reshape(-1, 3), 3 * 8 + 1, axis=0), 255 - grey)
    letters = [text.get_text() for text in panels[2].texts]
    assert letters == ["L", "R", "I", "S"]
    assert "bits" in bars[0].get_ylabel()
    low, high = bars[0].get_ylim()
    assert low == -high == -colours.limit(explanation.relevance.values[0])
    assert "not for diagnosis" in " ".join(figure.get_suptitle().split())
    assert "15 % of the maximum" in " ".join(figure.get_suptitle().split())
    labels = [text.get_text() for panel in panels[:1] for text in panel.texts]
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
    assert "above 10 % or 15 % of the maximum" in " ".join(figure.get_suptitle().split())
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


AFFINE = from_matvec(np.diag([-2.0, 2, 2]), (7, -6, -4))


def titles_of(figure):
    return [panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")]


def test_slices_and_the_threshold_are_chosen(explanation):
    figure = preddiff.figure(explanation, slices=["sagittal:-5", "axial:2.4"], threshold=0.4)
    assert titles_of(figure) == ["sagittal, x = −5 mm", "axial, z = 2 mm"]
    assert "(40 % of the maximum)" in " ".join(figure.get_suptitle().split())
    # One row only: of two classes, the other's map is minus this one.
    assert len(figure.axes) == 4 + 1
    assert "the map for “$\\frac{ b$” is minus this one" in figure.get_supxlabel()
    assert "exact (" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slices": ["sagittal"]}, "slice 'sagittal': expected PLANE:MM, e.g. sagittal:-32"),
        ({"slices": ["top:3"]}, "plane 'top': expected one of sagittal, coronal, axial"),
        ({"slices": [3]}, "slice 3: expected PLANE:MM"),
        ({"slices": ["axial:99"]}, "slice 'axial:99': the scan reaches from -4 to 6 along it"),
        ({"threshold": 1}, "threshold=1: expected a share of the largest value"),
        ({"threshold": "a"}, "threshold='a': expected a share"),
        ({"beside": np.zeros((2, 2))}, r"beside='weights': a map of shape \(2, 2\): expected"),
    ],
)
def test_figures_that_make_no_sense(explanation, options, message):
    with pytest.raises(SettingError, match=message):
        preddiff.figure(explanation, **options)


def test_a_map_beside_has_a_row_and_a_scale_of_its_own(explanation, rng, tmp_path):
    weights = rng.normal(size=explanation.coverage.shape)
    path = maps.write(weights, explanation.grid, tmp_path / "pattern.nii")
    model = Linear(weights[None], 0.0)
    for beside, name in ((weights, "weights"), (path, "pattern"), ({"p": weights}, "p")):
        figure = preddiff.figure(explanation, slices=["axial:0"], beside=beside)
        assert len(titles_of(figure)) == 2
        bars = figure.axes[-2:]
        assert bars[1].get_ylabel() == name
        assert bars[1].get_ylim()[1] == pytest.approx(np.abs(weights).max(), rel=1e-6)
    # Of a model, those of the target that is shown: of the first class they are the reverse.
    for target, sign in ((1, 1), (0, -1)):
        only = Explanation(explanation.data.isel(target=[target]))
        look = {"slices": ["axial:0"], "threshold": 0}
        shown = preddiff.figure(only, beside=model, **look)
        expected = preddiff.figure(only, beside=sign * weights, **look)
        one, other = (each.axes[2].get_images()[0].get_array() for each in (shown, expected))
        np.testing.assert_array_equal(one, other)
    elsewhere = Grid(explanation.grid.shape, AFFINE + 1, {})
    path = maps.write(weights, elsewhere, tmp_path / "other.nii")
    with pytest.raises(InputError, match=r"other.nii: a map of .*: expected one of the scan's"):
        preddiff.figure(explanation, beside=path)


def test_pictures_have_no_slices():
    picture = np.random.default_rng(0).random((1, 6, 6)).astype(np.float32)
    e = preddiff.explain(Linear(np.ones((1, 6, 6))), picture, sampler=Constant(0.0), window=2)
    with pytest.raises(SettingError, match="slices, threshold and beside: are of volumes"):
        preddiff.figure(e, slices=["axial:0"])
