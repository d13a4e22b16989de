"""Cohort: held against a dense computation; draws, files, covariates and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.media.grid import Grid
from preddiff.method.windows import Windows, box
from preddiff.samplers import Cohort
from preddiff.samplers.base import stands_in
from preddiff.samplers.load import load_sampler, read_sampler

SHAPE = (7, 8, 6)
GRID = Grid(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))


@pytest.fixture(scope="module")
def mask():
    inside = np.zeros(SHAPE, dtype=bool)
    inside[1:6, 1:, :5] = True
    inside[2, 3, 2] = inside[5, 7] = False
    return inside


@pytest.fixture(scope="module")
def ages():
    return np.random.default_rng(3).uniform(20, 80, 40)


@pytest.fixture(scope="module")
def scans(mask, ages):
    """Two factors, age, and noise that neighbours along the last axis share."""
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(3, 1, *SHAPE))
    factors = np.column_stack([rng.normal(size=(40, 2)), (ages - 50) / 20])
    noise = rng.normal(size=(40, 1, *SHAPE))
    noise = noise + np.roll(noise, 1, axis=-1)
    return (np.tensordot(factors, maps, 1) + 5 + 0.4 * noise).astype(np.float32) * mask


@pytest.fixture(scope="module")
def sampler(scans, mask, ages):
    return Cohort.fit(
        scans, mask, factors=2, guard=2, grid=GRID, covariates={"age": ages}, reference="g=control"
    )


def dense(sampler, scan, start, size):
    """Mean and covariance of a window, flattened, by matrices over all voxels."""
    normal = sampler.normal
    mask, fitted, noise = normal.mask, normal.factors, normal.noise
    hidden, left_out, near = np.zeros((3, *mask.shape), dtype=bool)
    hidden[box(start, size)] = True
    for reached, margin in ((left_out, normal.guard), (near, min(normal.reach, 99))):
        voxels = round(margin / 2)
        first = [max(s - voxels, 0) for s in start]
        last = [s + k + voxels for s, k in zip(start, size, strict=True)]
        reached[tuple(map(slice, first, last))] = True
    seen, window = (near & ~left_out)[mask], hidden[mask]
    loadings = fitted.loadings.T
    working = fitted.variance * noise.repeats
    joint = loadings @ loadings.T + np.diag(working)
    gain = joint[np.ix_(window, seen)] @ np.linalg.inv(joint[np.ix_(seen, seen)])
    mean = fitted.mean[window] + gain @ (scan[0][mask] - fitted.mean)[seen]
    shared = (loadings @ loadings.T)[np.ix_(window, window)]
    shared = shared - gain @ (loadings @ loadings.T)[np.ix_(seen, window)]
    at = np.argwhere(mask)[window] / (2 * np.array(noise.lengths))
    distance = ((at[:, None] - at) ** 2).sum(axis=-1)
    correlation = noise.share * np.exp(-distance)
    np.fill_diagonal(correlation, 1)
    deviation = np.sqrt(fitted.variance[window])
    return mean, shared + correlation * np.outer(deviation, deviation), hidden & mask


@pytest.mark.parametrize(
    ("size", "reach"), [((1, 1, 1), None), ((2, 3, 2), 4), ((3, 3, 3), None), ((3, 3, 3), 5)]
)
def test_the_closed_form_is_that_of_dense_matrices(scans, mask, rng, size, reach):
    sampler = Cohort.fit(scans, mask, factors=2, guard=2, reach=reach, grid=GRID)
    scan, weights = scans[7], rng.normal(size=(2, 1, *SHAPE))
    windows = Windows.over(SHAPE, size).subset(rng.permutation(40))
    ((mean, covariance),) = sampler.project(weights, scan, windows)
    for n, start in enumerate(windows.starts):
        expected, spread, hidden = dense(sampler, scan, start, size)
        v = weights[:, 0][:, hidden]
        np.testing.assert_allclose(mean[:, n], v @ (expected - scan[0][hidden]), atol=1e-8)
        np.testing.assert_allclose(covariance[:, :, n], v @ spread @ v.T, atol=1e-8)


def test_draws_have_the_distribution_of_the_closed_form(sampler, scans, rng):
    weights = rng.normal(size=(1, 1, *SHAPE))
    windows = Windows(SHAPE, (2, 2, 2), np.array([[2, 2, 1]]))
    draws = sampler.draw(scans[0], windows, 100_000, 3, None)[0, :, 0].astype(float)
    within = box(windows.starts[0], windows.size)
    sums = ((draws - scans[0, 0][within]) * weights[0, 0][within]).reshape(len(draws), -1).sum(1)
    ((mean, covariance),) = sampler.project(weights, scans[0], windows)
    variance = covariance[0, 0, 0]
    assert abs(sums.mean() - mean[0, 0]) < 4 * np.sqrt(variance / len(sums))
    assert abs(sums.var() - variance) < 4 * variance * np.sqrt(2 / len(sums))


def test_a_draw_depends_on_seed_place_and_number_alone(sampler, scans):
    windows = Windows.over(SHAPE, 2)
    every = sampler.draw(scans[0], windows, 4, 1, None)
    some = sampler.draw(scans[0], windows.subset(np.array([50, 3])), 2, 1, None)
    np.testing.assert_array_equal(some, every[[50, 3], :2])
    assert not np.array_equal(sampler.draw(scans[0], windows, 4, 2, None), every)
    pairs = sampler.paired().draw(scans[0], windows, 4, 1, None)
    middle = pairs.reshape(len(windows), 2, 2, -1).mean(axis=2)
    np.testing.assert_allclose(middle[:, 0], middle[:, 1], atol=1e-5)


def test_what_is_hidden_or_guarded_says_nothing(sampler, scans):
    hidden = np.zeros(SHAPE, dtype=bool)
    hidden[3, 2:5, 2:4] = True
    near, far = scans[0].copy(), scans[0].copy()
    near[0, 2:5, 1:6, 1:5] += 3
    far[0, 5, 6, 4] += 3
    one = sampler.hide(scans[0], hidden, 3, 5, None)
    np.testing.assert_array_equal(sampler.hide(near, hidden, 3, 5, None)[:, 0, hidden],
                                  one[:, 0, hidden])  # fmt: skip
    assert not np.array_equal(sampler.hide(far, hidden, 3, 5, None)[:, 0, hidden],
                              one[:, 0, hidden])  # fmt: skip
    np.testing.assert_array_equal(one[:, 0, ~hidden], np.repeat(scans[0], 3, 0)[:, ~hidden])
    windows = Windows(SHAPE, (1, 3, 2), np.array([[3, 2, 2]]))
    np.testing.assert_array_equal(sampler.fill(scans[0], windows, 3, 5, None), one)


def test_voxels_outside_the_mask_stay(sampler, scans, mask):
    draws = sampler.draw(scans[0] + 1, Windows.over(SHAPE, SHAPE), 2, 0, None)[0, :, 0]
    np.testing.assert_array_equal(draws[:, ~mask], np.repeat(scans[:1, 0] + 1, 2, 0)[:, ~mask])


def test_the_number_of_factors_is_found(scans, mask, ages):
    chosen = Cohort.fit(scans, mask, guard=2, grid=GRID, covariates={"age": ages})
    assert chosen.summary()["factors"] == "2"
    without = Cohort.fit(scans, mask, guard=2, grid=GRID)
    assert without.summary()["factors"] == "3"


def test_factors_that_differ_from_place_to_place_reach_less_far(rng):
    """Each line of voxels has a factor of its own."""
    lines = rng.normal(size=(40, 1, 16, 1)) + 0.2 * rng.normal(size=(40, 1, 16, 5))
    assert Cohort.fit(lines, guard=0).summary()["reach"] == "8 mm"


def test_a_covariate_may_be_known_or_not(sampler, scans, ages, mask):
    windows = Windows(SHAPE, (3, 3, 3), np.array([[2, 2, 1]]))
    weights = np.ones((1, 1, *SHAPE))
    ((_, unknown),) = sampler.project(weights, scans[0], windows)
    known = sampler.at(age=ages[0])
    ((_, less),) = known.project(weights, scans[0], windows)
    assert less < unknown
    older = sampler.at(age=80).normal.factors.mean - sampler.at(age=20).normal.factors.mean
    line = np.polyfit(ages, scans[:, 0, mask], 1)[0]
    np.testing.assert_allclose(older, 60 * line, rtol=1e-3, atol=1e-3)
    with pytest.raises(SamplerError, match="covariate 'sex': expected one of age"):
        sampler.at(sex=1)


def test_a_file_holds_all_of_it(sampler, scans, tmp_path, rng):
    sampler.save(tmp_path / "c.npz")
    again = read_sampler(tmp_path / "c.npz")
    assert again.sha256 == sampler.sha256
    assert again.reference == "g=control"
    assert stands_in(again.paired()).endswith("beyond 2 mm around it, as in scans of g=control")
    assert again.covariates == sampler.covariates
    assert again.scan_grid.is_like(GRID)
    near = replace(sampler.normal, reach=4.0)
    Cohort(near, covariates=sampler.covariates).save(tmp_path / "near.npz")
    assert read_sampler(tmp_path / "near.npz").sha256 not in (sampler.sha256, "")
    assert stands_in(read_sampler(tmp_path / "near.npz")).endswith("from 2 to 4 mm around it")
    windows = Windows.over(SHAPE, 2)
    np.testing.assert_array_equal(
        again.draw(scans[0], windows, 1, 0, None), sampler.draw(scans[0], windows, 1, 0, None)
    )
    spec = f"cohort:{tmp_path / 'c.npz'}"
    named = load_sampler(spec, shape=(1, *SHAPE), window=2, margin=2, prepare=None, mean=None)
    assert named.sha256 == sampler.sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"guard": -1}, "guard=-1: expected mm of at least 0"),
        ({"guard": 3, "reach": 3}, "reach=3: expected more mm than the guard zone's 3"),
        ({"factors": 39}, "factors=39: expected 0 to 38 for 40 scans"),
        ({"covariates": {"age": [1, 2]}}, "covariate 'age': expected 40 finite numbers"),
    ],
)
def test_what_cannot_be_fitted_is_refused(scans, mask, change, message):
    with pytest.raises(SamplerError, match=message):
        Cohort.fit(scans, mask, **change)


def test_bad_cohorts_are_refused(scans, sampler):
    with pytest.raises(SamplerError, match="3 volumes: expected at least 8"):
        Cohort.fit(scans[:3])
    with pytest.raises(SamplerError, match="all volumes are the same"):
        Cohort.fit(np.ones_like(scans))
    with pytest.raises(SamplerError, match=r"fitted on volumes of 7×8×6, the input has shape"):
        sampler.check(scans[0, :, 1:], Windows.over((6, 8, 6), 2), None)
