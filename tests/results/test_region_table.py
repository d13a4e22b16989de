"""The map of a result as a table over regions."""

import numpy as np
import pytest
from scipy import ndimage

import preddiff
from preddiff import region_table
from preddiff.datasets.cohort import simulated_cohort
from preddiff.errors import InputError
from preddiff.models import Linear
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant, Marginal

WISH = {"targets": 1, "window": 4, "stride": 2}


@pytest.fixture
def made(rng):
    """A linear model of which only the upper left speaks for class 1, the lower right against."""
    weights = np.zeros((1, 16, 18))
    weights[0, :6, :6], weights[0, 10:, 12:] = 0.05, -0.05
    inputs = (1 + rng.random((1, 16, 18))).astype(np.float32)
    pool = rng.normal(0, 1, (60, 1, 16, 18)).astype(np.float32)
    return Linear(weights), inputs, Marginal(pool)


@pytest.fixture
def labels():
    labels = np.zeros((16, 18), int)
    labels[:6, :6], labels[10:, 12:], labels[:6, 12:] = 1, 2, 7
    return labels


def explained(made, **settings):
    model, inputs, sampler = made
    return preddiff.explain(model, inputs, sampler=sampler, **WISH, **settings)


def test_regions_have_the_mean_of_their_pixels(made, labels):
    e = explained(made, engine="dense", samples=6)
    table = region_table(e, labels, {1: "front", 2: "back"})
    assert list(table.region) == [1, 2, 7] or list(table.region) == [2, 1, 7]
    relevance = e.relevance.values[0]
    for row in table.itertuples():
        own = relevance[labels == row.region]
        assert row.relevance == pytest.approx(own.mean(), abs=1e-9)
        assert row.total == pytest.approx(own.sum(), abs=1e-9)
        assert row.elements == own.size
    by_name = table.set_index("name")
    assert by_name.speaks["front"] == "for"
    assert by_name.speaks["back"] == "against"
    assert table.name[2] == ""
    assert set(table.target) == set(e.labels)


@pytest.mark.parametrize("is_masked", [False, True])
def test_a_region_is_the_sum_over_its_windows(made, labels, is_masked):
    """By loops over pixels and windows, with what each window has by itself."""
    mask = np.zeros(labels.shape, bool)
    mask[2:9, 1:18] = True
    e = explained(made, engine="dense", samples=6, mask=mask if is_masked else None)
    evidence, error = e.evidence.values[0], e.evidence_error.values[0]
    assert (error > 0).sum() > 5
    covering = {}  # the windows over each pixel
    for number, (y, x) in enumerate(e.data["window_start"].values):
        for pixel in np.ndindex(4, 4):
            covering.setdefault((y + pixel[0], x + pixel[1]), []).append(number)
    table = region_table(e, labels).set_index("region")
    for region in table.index:
        pixels = [each for each in covering if labels[each] == region]
        weights = np.zeros(len(evidence))  # of each window in the region's mean
        for pixel in pixels:
            own = covering[pixel]
            weights[own] += 1 / len(own) / len(pixels)
        row = table.loc[region]
        assert row.elements == len(pixels)
        assert row.relevance == pytest.approx(weights @ evidence, rel=1e-5)
        assert row.total == pytest.approx(weights @ evidence * len(pixels), rel=1e-5)
        assert row.standard_error == pytest.approx(np.sqrt(weights**2 @ error**2), rel=1e-5)


def test_the_error_is_that_of_runs_with_other_seeds(made, labels):
    """Of windows that were measured alone, the error of a mean follows from theirs."""
    tables = [
        region_table(explained(made, engine="dense", samples=8, seed=seed), labels)
        .set_index("region")
        .sort_index()
        for seed in range(30)
    ]
    spread = np.std([each.relevance for each in tables], axis=0, ddof=1)
    said = np.sqrt(np.mean([each.standard_error**2 for each in tables], axis=0))
    np.testing.assert_allclose(said[:2] / spread[:2], 1, atol=0.3)
    pixels = explained(made, engine="dense", samples=8).standard_error.values[0]
    assert said[0] < 0.8 * np.nanmean(pixels[labels == 1])


def test_the_error_of_interpolated_maps_is_as_if_all_pixels_were_wrong_together(rng):
    weights = ndimage.gaussian_filter(rng.normal(size=(1, 40, 40)), (0, 3, 3))
    inputs = (1 + rng.random((1, 40, 40))).astype(np.float32)
    pool = rng.normal(0, 1, (60, 1, 40, 40)).astype(np.float32)
    e = preddiff.explain(
        Linear(weights), inputs, sampler=Marginal(pool), targets=1, window=6, engine="dense",
        tolerance=0.5,
    )  # fmt: skip
    assert e.data.sizes["window"] < e.provenance["windows"]
    labels = np.repeat([1, 2], 20)[:, None] + np.zeros((40, 40), int)
    error = e.standard_error.values[0]
    for row in region_table(e, labels).itertuples():
        assert row.standard_error == pytest.approx(error[labels == row.region].mean(), rel=1e-5)


def test_windows_of_several_sizes_and_closed_forms(made, labels):
    model, inputs, sampler = made
    e = preddiff.explain(model, inputs, sampler=sampler, targets=[0, 1], window=(2, 4))
    table = region_table(e, labels)
    assert len(table) == 6
    assert (table.standard_error == 0).all()
    first = table[table.target == "class 0"].set_index("region").relevance
    second = table[table.target == "class 1"].set_index("region").relevance
    np.testing.assert_allclose(first[[1, 2]], -second[[1, 2]], rtol=1e-6)


def test_boxes_and_names_in_files(made, tmp_path):
    lut = tmp_path / "lut.tsv"
    lut.write_text("index\tname\n1\tupper left\n4\tlower right\n")
    table = region_table(explained(made), (2, 2), lut).set_index("region")
    assert (table.name[1], table.name[4], table.name[2]) == ("upper left", "lower right", "")
    lut.write_text("index\tname\nx\tupper left\n")
    with pytest.raises(InputError, match="line 2: index 'x': expected the number of a region"):
        region_table(explained(made), (2, 2), lut)
    named = region_table(explained(made), (2, 2), ["Background", "a", "b", "c", "d"])
    assert set(named.name) == set("abcd")


SIDES = ["x_from", "x_to", "y_from", "y_to", "z_from", "z_to"]


def boxes_of(e, regions):
    return region_table(e, regions).set_index("region")[SIDES]


def test_regions_of_a_picture_lie_in_pixels_of_the_original(made, labels):
    e = explained(made)
    assert boxes_of(e, labels).loc[2, SIDES[:4]].tolist() == [12, 18, 10, 16]
    assert boxes_of(e, (2, 2)).loc[3, SIDES[:4]].tolist() == [0, 9, 8, 16]
    data = e.data.copy()
    data.attrs["crop"] = "30, 5, 36, 48"  # two original pixels along x, three along y
    of_crop = boxes_of(Explanation(data), labels)
    assert of_crop.loc[2, SIDES[:4]].tolist() == [54, 66, 35, 53]
    assert of_crop[["z_from", "z_to"]].isna().all(axis=None)


def test_regions_of_a_scan_lie_in_mm(rng):
    scan = rng.random((1, 6, 7, 8), dtype=np.float32)
    e = preddiff.explain(Linear(rng.normal(size=scan.shape)), scan, 1, sampler=Constant(1.0))
    turned = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -10], [0, 0, 3, 4], [0, 0, 0, 1]])
    of_scan = Explanation(e.data.assign(affine=(("world", "voxel"), turned, {})))
    labels = np.zeros((6, 7, 8), int)
    labels[1:3, 2:6, 0:3] = 4
    assert boxes_of(of_scan, labels).loc[4].tolist() == [85, 91, -7, 1, 5.5, 11.5]


def test_what_does_not_lie_on_the_map_is_refused(made, labels):
    e = explained(made)
    with pytest.raises(InputError, match=r"labels of shape \(4, 4\): expected that of the input"):
        region_table(e, np.ones((4, 4), int))
    with pytest.raises(InputError, match="no region covers a part of the map"):
        region_table(e, 0 * labels)


def test_a_simulated_patient_has_what_it_lost_first():
    cohort = simulated_cohort(subjects=20, spacing=8)
    patient = int(np.flatnonzero(cohort.patient)[0])
    lost = cohort.truth(patient)
    # A classifier to which less tissue, there, speaks for a patient (class 1).
    e = preddiff.explain(
        Linear(-0.1 * lost[None]), cohort.scans[patient], targets=1, window=2, mask=cohort.mask,
        sampler=Marginal(cohort.scans[~cohort.patient]),
    )  # fmt: skip
    table = region_table(e, np.where(lost, 2, 1) * cohort.mask, {1: "intact", 2: "lost"})
    assert (table.name[0], table.speaks[0]) == ("lost", "for")
