"""Importance: unbiased in its square, with error bars that hold, and never below the relevance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from preddiff.method import uncertainty
from preddiff.method.analysis import analyse, analyse_in_closed_form
from preddiff.method.chunks import Here
from preddiff.method.importance import importance_and_error, mean_square
from preddiff.method.measures import ActivationDifference
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Interlaced
from preddiff.method.windows import Windows

WINDOWS = Windows.over((14, 15), 3)


def smooth(rng, windows, scale):
    """A field of evidence over the windows that changes over `scale` windows."""
    shape = [len(np.unique(at)) for at in windows.starts.T]
    field = ndimage.gaussian_filter(rng.normal(size=shape), scale).reshape(1, -1)
    return field / field.std()


def drawn(rng, truth, noise, groups):
    """Evidence and its standard error from normal draws, whose mean has the error `noise`."""
    draws = truth[..., None] + noise * np.sqrt(groups) * rng.normal(size=(*truth.shape, groups))
    return draws.mean(axis=-1), draws.std(axis=-1, ddof=1) / np.sqrt(groups)


def estimates(draws, samples):
    """Of a model whose value is a function of draws, and 0 on the input."""
    return analyse(
        WINDOWS,
        Here(lambda chunk: draws((len(chunk.which), chunk.last - chunk.first))[..., None]),
        np.zeros(1),
        ActivationDifference(),
        Interlaced(WINDOWS, samples, len(WINDOWS)),
        RunningMeans.empty(1, len(WINDOWS)),
    )


@pytest.mark.parametrize("samples", [2, 4, 10])
@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_what_depends_on_nothing_has_a_square_of_zero_on_average(rng, samples, kind):
    """Values that scatter whatever is hidden: over 300 seeds, few draws add nothing."""
    scatter = {"normal": rng.normal, "skewed": lambda size: rng.exponential(size=size) - 1}[kind]
    squares, inside = [], []
    for _ in range(300):
        found = estimates(lambda shape: scatter(size=shape), samples)
        known = found.every, found.visited, found.evidence, found.error
        squares.append(mean_square(*known).mean())
        value, error = found.importance_and_error()
        inside.append((value <= 1.96 * error).mean())
    assert abs(np.mean(squares)) < 4 * np.std(squares) / np.sqrt(300)
    # Without taking the variance off it would be 1 / samples, which this would see.
    assert 1 / samples > 8 * np.std(squares) / np.sqrt(300)
    assert np.mean(inside) > 0.9


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
@pytest.mark.parametrize("groups", [2, 10, 100])
@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0])
def test_error_bars_hold(rng, share, groups, noise):
    """Over pixels and 15 fields the truth is within ±1.96 standard errors, about as often as said.

    Where windows are interpolated the bars are wide, as those of the relevance are, and what lies
    between windows is missed by some thousandths of the mean square, which is 1.
    """
    most, missed = (0.985, 0.0) if share == 1 else (0.995, 0.02)
    windows = Windows.over((60, 56), 8)
    visited = np.sort(windows.interlaced[: int(share * len(windows))])
    within, off = [], []
    for _ in range(15):
        truth = smooth(rng, windows, rng.choice([3, 10]))
        found, error = drawn(rng, truth[:, visited], noise, groups)
        counts = np.full(len(visited), groups)
        value, bars = importance_and_error(windows, visited, found, error, groups=counts)
        square = windows.mean(truth**2)
        within.append((np.abs(value - np.sqrt(square)) <= 1.96 * bars).mean())
        off.append((mean_square(windows, visited, found, error) - square).mean())
    assert 0.92 <= np.mean(within) <= most
    assert abs(np.mean(off)) < missed + 4 * np.std(off) / np.sqrt(len(off))


def test_few_groups_make_the_error_larger(rng):
    """The variance that is taken off is uncertain itself: by Var(s²) = 2 s⁴ / f."""
    seen, said = [], []
    for _ in range(2000):
        truth = np.full((1, 4), 0.3)
        found, error = drawn(rng, truth, 1.0, 3)
        windows = Windows.over((3, 3), 2)
        known = windows, np.arange(4), found, error
        seen.append(mean_square(*known)[0, 1, 1])
        noise = error**2
        said.append((4 * found**2 * noise - 2 * noise**2 / 4).sum() / 16)
    assert np.mean(said) == pytest.approx(np.var(seen), rel=0.15)
    assert np.var(seen) == pytest.approx((4 * 0.09 + 2 * 1.5) / 4, rel=0.15)


@given(st.lists(st.floats(-1e3, 1e3), min_size=len(WINDOWS), max_size=len(WINDOWS)), st.data())
def test_exact_importance_is_no_less_than_relevance(values, data):
    """(mean e)² ≤ mean e², of all windows and where some are interpolated."""
    count = data.draw(st.integers(1, len(WINDOWS)))
    visited = np.sort(WINDOWS.interlaced[:count])
    evidence = np.array([values])[:, visited]
    value, error = importance_and_error(WINDOWS, visited, evidence, np.zeros_like(evidence))
    relevance = uncertainty.relevance(WINDOWS, visited, evidence)
    known = np.isfinite(relevance)
    np.testing.assert_array_equal(np.isfinite(value), known)
    slack = 1e-9 * max(1.0, np.abs(evidence).max())
    assert (value[known] >= 0).all()
    assert (value >= np.abs(relevance) - slack)[known].all()
    assert (error[known] >= 0).all()


def test_exact_evidence_has_no_error_and_the_plain_root_mean_square(rng):
    evidence = rng.normal(size=(2, len(WINDOWS)))
    found = analyse_in_closed_form(
        WINDOWS, lambda _: (-evidence, 0 * evidence), np.zeros(2), ActivationDifference()
    )
    value, error = found.importance_and_error()
    for pixel in [(0, 0), (7, 8), (13, 2)]:
        low = WINDOWS.starts
        covers = ((low <= pixel) & (np.array(pixel) < low + 3)).all(axis=1)
        expected = np.sqrt((evidence[:, covers] ** 2).mean(axis=1))
        np.testing.assert_allclose(value[:, *pixel], expected)
    np.testing.assert_array_equal(error, 0)


def test_of_one_draw_it_is_an_upper_bound_without_an_error(rng):
    found = estimates(lambda shape: rng.normal(size=shape), 1)
    value, error = found.importance_and_error()
    assert np.isnan(error).all()
    np.testing.assert_allclose(value**2, WINDOWS.mean(found.evidence**2))
    some = np.sort(WINDOWS.interlaced[:40])
    unknown = np.full((1, 40), np.nan)
    value, error = importance_and_error(WINDOWS, some, found.evidence[:, some], unknown)
    assert np.isfinite(value).any()
    assert np.isnan(error).all()


def test_half_of_the_bias_counts_as_an_error(rng):
    every = np.arange(len(WINDOWS))
    evidence, error = 2 + rng.random((2, 1, len(WINDOWS)))
    known = WINDOWS, every, evidence, error / 100
    value, without = importance_and_error(*known)
    _, bars = importance_and_error(*known, bias=np.full_like(evidence, 0.2))
    shared = 0.1 * WINDOWS.mean(evidence) / value  # δ(e²) = 2 e δe, and δ√q = δq / (2 √q)
    np.testing.assert_allclose(bars, np.hypot(without, shared), rtol=0.1)
