"""Expectations of normal logits, held against adaptive integration, a fine grid, and draws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from preddiff.engines.closed_form import quadrature


def integral(mean, spread):
    """E σ(z) for z ~ N(mean, spread²), by adaptive integration split where σ is steep."""
    steep = [-mean / spread] if abs(mean) < 12 * spread else None
    return integrate.quad(
        lambda z: special.expit(mean + spread * z) * stats.norm.pdf(z),
        -13, 13, limit=2000, epsabs=1e-14, epsrel=1e-12, points=steep,
    )[0]  # fmt: skip


@pytest.mark.parametrize("spread", [1e-9, 0.02, 0.3, 1.99, 2.01, 8, 30, 200])
def test_the_logistic_mean_is_right_to_1e_10_at_every_spread(spread):
    mean = np.array([-45, -20, -8, -3, -1, -0.1, 0, 0.4, 2, 5, 11, 30])
    found = quadrature.expected_logistic(mean, np.full(len(mean), spread))
    expected = [integral(m, spread) for m in mean]
    np.testing.assert_allclose(found[1], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=0, atol=1e-15)


@settings(max_examples=30)
@given(mean=st.floats(-40, 40), spread=st.floats(1e-3, 30))
def test_the_logistic_mean_is_right_anywhere(mean, spread):
    found = quadrature.expected_logistic(np.array([mean]), np.array([spread]))[1, 0]
    assert found == pytest.approx(integral(mean, spread), abs=1e-10)


def test_without_spread_it_is_the_softmax(rng):
    logits = rng.normal(scale=5, size=(3, 20))
    zero = np.zeros((3, 3, 20))
    p, error = quadrature.expected_softmax(logits, zero, np.arange(20))
    every = np.concatenate([np.zeros((1, 20)), logits])
    np.testing.assert_allclose(p, special.softmax(every, axis=0), rtol=1e-13)
    assert not error.any()


@pytest.mark.parametrize("scale", [0.01, 0.3, 2.0, 9.0])
def test_two_logits_are_integrated_over_the_plane(rng, scale):
    root = scale * rng.normal(size=(2, 2))
    mean = np.array([0.5, -1.0])
    p, error = quadrature.expected_softmax(
        mean[:, None], (root @ root.T)[:, :, None], np.array([0])
    )
    # A line given the first logit is logistic in the second: p₂ = σ(z₂ - log(1 + e^z₁)).
    deviation = math.hypot(*root[0])
    slope = (root[1] @ root[0]) / deviation**2
    rest = math.sqrt(max(0.0, root[1] @ root[1] - slope**2 * deviation**2))

    def given_first(z):
        first = mean[0] + deviation * z
        second = mean[1] + slope * (first - mean[0]) - np.logaddexp(0, first)
        return quadrature.expected_logistic(second, np.full(len(z), rest))[1]

    z = np.linspace(-9, 9, 60_001)
    expected = integrate.trapezoid(given_first(z) * stats.norm.pdf(z), z)
    assert p[2, 0] == pytest.approx(expected, abs=1e-9)
    assert p.sum() == pytest.approx(1, abs=1e-9)
    assert not error.any()


def test_where_too_many_nodes_were_needed_draws_have_a_standard_error(rng):
    root = 12 * rng.normal(size=(4, 4, 30)) / 2
    covariance = np.einsum("ijn,kjn->ikn", root, root)
    mean = rng.normal(size=(4, 30))
    p, error = quadrature.expected_softmax(mean, covariance, np.arange(30))
    z = rng.normal(size=(4, 60_000))
    logits = mean[:, None] + np.einsum("ijn,jq->iqn", root, z)
    every = np.concatenate([np.zeros((1, *logits.shape[1:])), logits])
    draws = special.softmax(every, axis=0)
    expected, spread = draws.mean(axis=1), draws.std(axis=1) / math.sqrt(60_000)
    assert (error > 0).all()
    assert error.max() < 2e-3
    deviation = np.abs(p - expected) / np.hypot(spread, error)
    assert deviation.max() < 5
    again = quadrature.expected_softmax(mean[:, 7:8], covariance[:, :, 7:8], np.array([7]))
    np.testing.assert_array_equal(again[0][:, 0], p[:, 7])
