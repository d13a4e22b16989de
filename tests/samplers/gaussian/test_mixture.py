"""Mixture: held against the joint mixture's own densities, and against its components."""

import numpy as np
import pytest
from scipy import special, stats

import preddiff
from conftest import Softmax
from preddiff.engines.closed_form.engine import ClosedForm
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.samplers import Mixture, StudentT
from preddiff.samplers.gaussian import mixing
from preddiff.samplers.gaussian.gathering import gathered
from preddiff.samplers.load import load_sampler, read_sampler
from samplers.textbook import random_normal

SHAPE = (1, 3, 3)
WINDOW = Windows((3, 3), (1, 2), np.array([[1, 0]]))
WHERE = np.zeros(SHAPE, dtype=bool)
WHERE[0, 1, :2] = True
WEIGHTS = np.array([0.3, 0.7])


def mixture(rng, shape=SHAPE, clip=False):
    normals = [random_normal(rng, shape) for _ in WEIGHTS]
    parts = [
        StudentT(n.mean, n.covariance, shape, freedom=freedom, clip=clip)
        for n, freedom in zip(normals, (3, 9), strict=True)
    ]
    return Mixture(WEIGHTS, parts)


def densities(sampler, values, which):
    """Log density of some values under each component, weights included: by scipy."""
    flat, some = values.ravel().astype(float)[which], np.ix_(which, which)
    return np.log(sampler.weights) + [
        stats.multivariate_t(p.mean[which], p.covariance[some], df=p.freedom).logpdf(flat)
        for p in sampler.parts
    ]


def assert_follows(draws, sampler, values, hidden):
    """What each component foretells of the hidden sum, by a grid, against draws' ranks of it."""
    hidden = hidden.ravel()
    chances = special.softmax(densities(sampler, values, np.flatnonzero(~hidden)))
    cumulative = np.zeros(len(draws))
    sums = draws.sum(axis=1)
    for chance, part in zip(chances, sampler.parts, strict=True):
        rest = ~hidden
        inverse = np.linalg.inv(part.covariance[np.ix_(rest, rest)])
        known = values.ravel().astype(float)[rest] - part.mean[rest]
        gain = part.covariance[np.ix_(hidden, rest)] @ inverse
        schur = part.covariance[np.ix_(hidden, hidden)] - gain @ part.covariance[rest][:, hidden]
        freedom = part.freedom + rest.sum()
        scale = (part.freedom + known @ inverse @ known) / freedom
        middle = (part.mean[hidden] + gain @ known).sum()
        cumulative += chance * stats.t(freedom, middle, np.sqrt(scale * schur.sum())).cdf(sums)
    assert stats.kstest(cumulative, "uniform").pvalue > 1e-3
    return chances


def uncertain(rng, sampler):
    """Values for which neither component is certain."""
    for _ in range(100):
        values = rng.normal(size=SHAPE).astype(np.float32)
        if 0.2 < sampler.chances(values, WINDOW)[0, 0] < 0.8:
            return values
    raise AssertionError


def test_density_and_chances_are_those_of_the_joint_distribution(rng):
    sampler = mixture(rng)
    values = uncertain(rng, sampler)
    rest = np.flatnonzero(~WHERE.ravel())
    whole = special.logsumexp(densities(sampler, values, np.arange(9)))
    margin = densities(sampler, values, rest)
    np.testing.assert_allclose(sampler.chances(values, WINDOW)[0], special.softmax(margin))
    expected = whole - special.logsumexp(margin)
    assert sampler.log_density(values, WINDOW)[0] == pytest.approx(expected, rel=1e-9)


def test_draws_follow_the_conditional_law(rng):
    sampler = mixture(rng)
    values = uncertain(rng, sampler)
    draws = sampler.draw(values, WINDOW, 3000, 4, None)[0].reshape(3000, -1)
    assert_follows(draws, sampler, values, WHERE)


def test_places_of_any_shape_follow_it_too(rng):
    """What is visible in a block tells its component as well."""
    sampler = mixture(rng)
    hidden = np.zeros((3, 3), dtype=bool)
    hidden[0, 1] = hidden[1, :2] = True
    every = np.broadcast_to(hidden, SHAPE)
    values = uncertain(rng, sampler)
    draws = sampler.hide(values, hidden, 200, 5, None)
    np.testing.assert_array_equal(draws[:, ~every], np.stack([values] * 200)[:, ~every])
    chances = assert_follows(draws[:, every].reshape(200, -1), sampler, values, every)
    assert 0.05 < chances[0] < 0.95


def test_one_component_is_that_component(rng):
    (part, _) = mixture(rng).parts
    sampler = Mixture([1.0], [part])
    values = rng.normal(size=SHAPE).astype(np.float32)
    for mixed, single in ((sampler, part), (sampler.paired(), part.paired())):
        drawn = mixed.draw(values, WINDOW, 5, 1, None)
        np.testing.assert_array_equal(drawn, single.draw(values, WINDOW, 5, 1, None))
    density = sampler.log_density(values, WINDOW)
    np.testing.assert_allclose(density, part.log_density(values, WINDOW))


def test_the_closed_form_is_what_draws_come_to(rng):
    sampler = mixture(rng)
    values = uncertain(rng, sampler)
    weights = rng.normal(size=(1, *SHAPE)) / 2
    form = ClosedForm(Linear(weights, np.zeros(1)), values, [1], None, sampler.project, 1 << 30)
    draws = sampler.draw(values, WINDOW, 40_000, 3, None)[0].reshape(40_000, -1)
    logits = values.ravel() @ weights.ravel() + (draws - values[WHERE]) @ weights[0][WHERE]
    p = 1 / (1 + np.exp(-logits))
    assert form.expect(WINDOW)[0][0, 0] == pytest.approx(p.mean(), abs=4.5 * p.std() / 200)
    chances = sampler.chances(values, WINDOW)[0]
    laws = list(sampler.project(weights, values, WINDOW))
    assert sum(chance[0] for *_, chance in laws) == pytest.approx(1)
    assert sum(chance[0] for *_, chance in laws[:8]) == pytest.approx(chances[0])


def test_pairs_are_antithetic_about_the_mean_of_one_component(rng):
    sampler = mixture(rng).paired()
    values = uncertain(rng, sampler)
    draws = sampler.draw(values, WINDOW, 40, 1, None)[0].reshape(20, 2, -1)
    means = [part.moments(values, WINDOW)[0][0] for part in sampler.parts]
    off = [np.abs(draws.sum(axis=1) - 2 * mean).max(axis=1) < 1e-4 for mean in means]
    assert sampler.group == 2
    assert (off[0] ^ off[1]).all()
    assert 0 < off[0].sum() < 20


def test_a_draw_depends_on_seed_place_and_number_alone(rng):
    sampler = mixture(rng, clip=True)
    picture = rng.random((1, 12, 12)).astype(np.float32)
    windows = Windows.over((12, 12), 1)
    for each in (sampler, sampler.paired()):
        every = each.draw(picture, windows, 5, 1, (0, 1))
        which = rng.permutation(len(windows))[:9]
        some = each.draw(picture, windows.subset(which), 2, 1, (0, 1))
        np.testing.assert_allclose(some, every[which, :2], atol=1e-6)
        assert (each.draw(picture, windows, 5, 2, (0, 1)) != every).any()
        assert 0 <= every.min() < every.max() <= 1


def test_the_fit_finds_two_kinds_of_patches_and_no_more(rng):
    laws = [random_normal(rng, SHAPE) for _ in range(2)]
    kinds = rng.integers(2, size=1500)
    roots = [np.linalg.cholesky(law.covariance) for law in laws]
    patches = np.stack([laws[k].mean + roots[k] @ rng.normal(size=9) for k in kinds])
    fitted = Mixture.fit(patches.reshape(-1, *SHAPE), 3)
    assert fitted.facts["patches"] == 1500
    np.testing.assert_allclose(sorted(fitted.weights), sorted(np.bincount(kinds) / 1500), atol=0.05)
    for law in laws:
        off = [np.abs(part.mean - law.mean).max() for part in fitted.parts]
        part = fitted.parts[int(np.argmin(off))]
        assert min(off) < 0.2
        np.testing.assert_allclose(part.covariance, law.covariance, atol=0.25)


def test_the_fit_of_one_kind_is_student(rng):
    patches = stats.multivariate_t(np.zeros(9), np.eye(9), df=4).rvs(1500, random_state=3)
    inputs = patches.reshape(-1, *SHAPE)
    mixed, single = Mixture.fit(inputs, 3), StudentT.fit(inputs, 3)
    assert len(mixed.parts) == 1
    np.testing.assert_allclose(mixed.parts[0].covariance, single.covariance, rtol=1e-6)
    independent = Mixture.fit(rng.random((9, 2, 12, 12)), 3, "independent")
    assert not any(part.covariance[:9, 9:].any() for part in independent.parts)


def test_components_that_lose_their_patches_are_dropped(rng):
    found = gathered(rng.normal(size=(60, *SHAPE)), 3, "joint")
    shares = np.ones((60, 2)) * [0.96, 0.04]
    mixed = mixing.likeliest(found, shares)
    assert len(mixed.laws) == 1
    np.testing.assert_allclose(mixed.weights, 1)


def test_it_is_saved_cut_and_named(rng, tmp_path):
    sampler = mixture(rng, (3, 8, 8), clip=True)
    sampler.save(tmp_path / "m.npz")
    assert read_sampler(tmp_path / "m.npz").sha256 == sampler.sha256
    assert sampler.summary()["components"] == "2"
    assert sampler.central(6).sha256 != sampler.sha256
    for text in (f"mixture:{tmp_path}/m.npz", f"conditional:{tmp_path}/m.npz"):
        found = load_sampler(text, shape=(3, 20, 20), window=4, margin=1, prepare=None, mean=None)
        assert isinstance(found, Mixture)
        assert found.shape == (3, 6, 6)
        for part, whole in zip(found.parts, sampler.parts, strict=True):
            np.testing.assert_array_equal(part.covariance, whole.central(6).covariance)
    picture = rng.random((3, 12, 12)).astype(np.float32)
    e = preddiff.explain(
        Softmax(picture.shape), picture, sampler=f"mixture:{tmp_path}/m.npz", window=4, samples=4
    )
    assert e.provenance["sampler"] == "mixture:m.npz"
    assert (e.evidence_error > 0).all()


def test_what_is_no_mixture_is_refused(rng):
    with pytest.raises(SamplerError, match="mixture: expected mixture:FILE; fit one"):
        load_sampler("mixture", shape=(3, 20, 20), window=4, margin=1, prepare=None, mean=None)
    parts = mixture(rng).parts
    with pytest.raises(SamplerError, match="2 components with weights .*: expected a number above"):
        Mixture([1.0], parts)
    with pytest.raises(SamplerError, match="components of 2 kinds: expected some that agree"):
        Mixture(WEIGHTS, [parts[0], parts[1].paired()])
    flat = StudentT(np.zeros(9), np.zeros((9, 9)), SHAPE, freedom=3, clip=False)
    with pytest.raises(SamplerError, match="a component's scatter is singular"):
        Mixture(WEIGHTS, [parts[0], flat])
