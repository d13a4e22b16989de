"""StudentT: held against the joint distribution's own densities, and against a normal."""

import numpy as np
import pytest
from scipy import integrate, stats

import preddiff
from conftest import Softmax
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, StudentT
from preddiff.samplers.gaussian import gathering
from preddiff.samplers.load import load_sampler, read_sampler
from samplers.textbook import random_normal

SHAPE = (2, 4, 4)
WINDOW = Windows((4, 4), (2, 2), np.array([[1, 1]]))
WHERE = np.zeros(SHAPE, dtype=bool)
WHERE[:, 1:3, 1:3] = True


def student(rng, freedom=3.0, **settings):
    normal = random_normal(rng, SHAPE)
    return StudentT(normal.mean, normal.covariance, SHAPE, freedom=freedom, clip=False, **settings)


def law(sampler, values, hidden):
    """Mean, scatter and degrees of freedom of what is hidden, given the rest: by the textbook."""
    hidden, rest = hidden.ravel(), ~hidden.ravel()
    known = values.ravel().astype(np.float64)[rest] - sampler.mean[rest]
    inverse = np.linalg.inv(sampler.covariance[np.ix_(rest, rest)])
    gain = sampler.covariance[np.ix_(hidden, rest)] @ inverse
    schur = sampler.covariance[np.ix_(hidden, hidden)] - gain @ sampler.covariance[rest][:, hidden]
    share = min(1, sampler.told_by / rest.sum())  # of the values, that counts
    freedom = sampler.freedom + share * rest.sum()
    scale = (sampler.freedom + share * (known @ inverse @ known)) / freedom
    return sampler.mean[hidden] + gain @ known, scale * schur, freedom


def assert_follows(draws, mean, scatter, freedom):
    """Squared distances of a Student distribution follow Fisher's F."""
    off = draws - mean
    square = np.einsum("nw,nw->n", off @ np.linalg.inv(scatter), off) / len(mean)
    assert stats.kstest(square, stats.f(len(mean), freedom).cdf).pvalue > 1e-3
    error = np.sqrt(np.diag(scatter) * freedom / (freedom - 2) / len(draws))
    assert (np.abs(off.mean(axis=0)) < 4.5 * error).all()


@pytest.mark.parametrize("far", [0.1, 5])
def test_the_density_is_that_of_the_joint_distribution(rng, far):
    sampler = student(rng)
    sampler.told_by = np.inf
    values = (far * rng.normal(size=SHAPE)).astype(np.float32)
    rest = ~WHERE.ravel()
    joint = stats.multivariate_t(sampler.mean, sampler.covariance, df=sampler.freedom)
    margin = stats.multivariate_t(
        sampler.mean[rest], sampler.covariance[np.ix_(rest, rest)], df=sampler.freedom
    )
    flat = values.ravel().astype(np.float64)
    expected = joint.logpdf(flat) - margin.logpdf(flat[rest])
    assert sampler.log_density(values, WINDOW)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("far", [0.1, 5])
def test_the_density_is_that_of_the_law_that_is_drawn_from(rng, far):
    sampler = student(rng)
    values = (far * rng.normal(size=SHAPE)).astype(np.float32)
    mean, scatter, freedom = law(sampler, values, WHERE)
    assert freedom == sampler.freedom + sampler.told_by
    expected = stats.multivariate_t(mean, scatter, df=freedom).logpdf(values[WHERE])
    assert sampler.log_density(values, WINDOW)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("far", [0.1, 5])
def test_what_counts_of_the_visible_is_a_power_of_its_density(rng, far):
    """As by an integral over the scale, but for a factor that all laws have in common."""
    sampler = student(rng)
    values = (far * rng.normal(size=SHAPE)).astype(np.float32)
    rest = ~WHERE.ravel()
    share = sampler.told_by / rest.sum()
    normal = stats.multivariate_normal(np.zeros(rest.sum()), sampler.covariance[rest][:, rest])
    deviation = values.ravel().astype(np.float64)[rest] - sampler.mean[rest]

    def power(log):
        inverse = np.exp(log)
        volume = rest.sum() * np.log(2 * np.pi) / 2  # which is left out of what is compared
        density = normal.logpdf(deviation * np.sqrt(inverse)) + rest.sum() / 2 * np.log(inverse)
        prior = stats.gamma(sampler.freedom / 2, scale=2 / sampler.freedom).pdf(inverse)
        return inverse * prior * np.exp(share * (density + volume))

    expected = integrate.quad(power, -30, 10, epsabs=0, limit=500, points=[-9, -6, -3, 0, 3])[0]
    found = sampler.log_visible(values, WINDOW)[0] + sampler.told_by * np.log(2 * np.pi) / 2
    assert found == pytest.approx(np.log(expected), rel=1e-6)


@pytest.mark.parametrize("far", [0.1, 5])
def test_draws_follow_the_conditional_law(rng, far):
    sampler = student(rng)
    values = (far * rng.normal(size=SHAPE)).astype(np.float32)
    draws = sampler.draw(values, WINDOW, 3000, 4, None)[0].reshape(3000, -1)
    assert_follows(draws, *law(sampler, values, WHERE))
    mean, scatters, freedom = law(sampler, values, WHERE)
    means, covariances = sampler.moments(values, WINDOW)
    np.testing.assert_allclose(means[0], mean, rtol=1e-9)
    np.testing.assert_allclose(covariances[0], scatters * freedom / (freedom - 2), rtol=1e-9)


def test_places_of_any_shape_follow_it_too(rng):
    """What is visible in a block tells its scale as well."""
    sampler = student(rng)
    values = (4 * rng.normal(size=SHAPE)).astype(np.float32)
    hidden = np.zeros((4, 4), dtype=bool)
    hidden[1, :2] = hidden[0, 1] = True
    every = np.broadcast_to(hidden, SHAPE)
    draws = sampler.hide(values, hidden, 1500, 5, None)
    np.testing.assert_array_equal(draws[:, ~every], np.stack([values] * 1500)[:, ~every])
    assert_follows(draws[:, every].reshape(1500, -1), *law(sampler, values, every))


def test_with_many_degrees_of_freedom_it_is_the_normal(rng):
    normal = random_normal(rng, SHAPE)
    sampler = StudentT(normal.mean, normal.covariance, SHAPE, freedom=1e9, clip=False)
    values = rng.normal(size=SHAPE).astype(np.float32)
    drawn = sampler.draw(values, WINDOW, 5, 1, None)
    np.testing.assert_allclose(drawn, normal.draw(values, WINDOW, 5, 1, None), atol=1e-3)
    density = sampler.log_density(values, WINDOW)
    np.testing.assert_allclose(density, normal.log_density(values, WINDOW), rtol=1e-6)


def test_a_draw_depends_on_seed_place_and_number_alone(rng):
    sampler = StudentT.natural(7)
    picture = rng.random((3, 16, 16)).astype(np.float32)
    windows = Windows.over((16, 16), 3)
    for each in (sampler, sampler.paired()):
        every = each.draw(picture, windows, 5, 1, (0, 1))
        which = rng.permutation(len(windows))[:9]
        some = each.draw(picture, windows.subset(which), 2, 1, (0, 1))
        np.testing.assert_allclose(some, every[which, :2], atol=1e-6)
        assert (each.draw(picture, windows, 5, 2, (0, 1)) != every).any()
        assert 0 <= every.min() < every.max() <= 1


def test_pairs_are_antithetic(rng):
    sampler = student(rng).paired()
    values = rng.normal(size=SHAPE).astype(np.float32)
    draws = sampler.draw(values, WINDOW, 4, 1, None)[0].reshape(4, -1)
    mean = law(sampler, values, WHERE)[0]
    assert sampler.group == 2
    np.testing.assert_allclose(draws[0] + draws[1], 2 * mean, atol=1e-4)
    width = np.linalg.norm(draws[::2] - mean, axis=1)
    assert width[0] != pytest.approx(width[1], rel=1e-3)


def test_a_rough_rim_foretells_a_rough_window(rng):
    flat = np.full((3, 14, 14), 0.5, dtype=np.float32)
    rough = (flat + 0.2 * rng.standard_normal((3, 14, 14))).clip(0, 1).astype(np.float32)
    window = Windows((14, 14), (10, 10), np.array([[2, 2]]))
    spreads = {}
    for kind in (StudentT, ConditionalGaussian):
        spreads[kind] = [
            kind.natural(14).draw(one, window, 20, 0, (0, 1)).std(axis=1).mean()
            for one in (flat, rough)
        ]
    assert spreads[StudentT][0] < 0.15 * spreads[ConditionalGaussian][0]
    assert spreads[StudentT][1] > spreads[ConditionalGaussian][1]


def test_the_closed_form_is_what_draws_come_to(rng):
    sampler = student(rng, freedom=2.5)
    values = (3 * rng.normal(size=SHAPE)).astype(np.float32)
    weights = rng.normal(size=(1, *SHAPE)) / 4
    normals = list(sampler.project(weights, values, WINDOW))
    draws = sampler.draw(values, WINDOW, 40_000, 3, None)[0].reshape(40_000, -1)
    sums = draws @ weights[0][WHERE] - values[WHERE] @ weights[0][WHERE]
    mean = np.mean([m[0, 0] for m, _ in normals])
    variance = np.mean([v[0, 0, 0] for _, v in normals])
    assert mean == pytest.approx(sums.mean(), abs=4.5 * sums.std() / 200)
    assert variance == pytest.approx(sums.var(), rel=0.05)
    # A linear model's answer, bent by the logistic function, is a mean over scales as well.
    exact = np.mean(
        [
            (1 / (1 + np.exp(-(m[0, 0] + np.sqrt(v[0, 0, 0]) * stats.norm.ppf(q)))))
            for m, v in normals
            for q in (np.arange(2000) + 0.5) / 2000
        ]
    )
    assert exact == pytest.approx((1 / (1 + np.exp(-sums))).mean(), abs=0.005)


def test_it_is_saved_cut_and_named(rng, tmp_path):
    sampler = StudentT.natural(8)
    sampler.save(tmp_path / "s.npz")
    assert read_sampler(tmp_path / "s.npz").sha256 == sampler.sha256
    assert "degrees of freedom" in sampler.summary()
    for text in ("student", f"student:{tmp_path}/s.npz", f"conditional:{tmp_path}/s.npz"):
        found = load_sampler(text, shape=(3, 20, 20), window=4, margin=1, prepare=None, mean=None)
        assert isinstance(found, StudentT)
        assert found.shape == (3, 6, 6)
        assert found.freedom == sampler.freedom
        np.testing.assert_allclose(found.covariance, StudentT.natural(6).covariance)
    other = StudentT(sampler.mean, sampler.covariance, sampler.shape, freedom=7)
    assert other.sha256 != sampler.sha256
    with pytest.raises(SamplerError, match="student: the embedded sampler is of pictures; fit"):
        load_sampler("student", shape=(1, 9, 9, 9), window=3, margin=2, prepare=None, mean=None)
    with pytest.raises(SamplerError, match="freedom=0: expected more than 0"):
        student(rng, freedom=0)


def test_the_fit_finds_what_patches_were_drawn_of(rng):
    root = rng.normal(size=(9, 9)) / 3 + np.eye(9)
    law = stats.multivariate_t(np.full(9, 0.5), root @ root.T, df=4)
    patches = law.rvs(4000, random_state=5).reshape(4000, 1, 3, 3)
    fitted = StudentT.fit(patches, 3)
    assert fitted.freedom == pytest.approx(4, rel=0.15)
    off = np.linalg.solve(root, np.linalg.solve(root, fitted.covariance).T)
    np.testing.assert_allclose(off, np.eye(9), atol=0.15)
    np.testing.assert_allclose(fitted.mean, 0.5, atol=0.15)
    assert fitted.facts["patches"] == 4000


def test_patches_beyond_memory_are_thinned_and_too_few_refused(rng, monkeypatch):
    inputs = rng.random((40, 1, 12, 12))
    every = gathering.gathered(inputs, 3, "joint").patches
    monkeypatch.setattr(gathering, "_MOST_VALUES", every.size // 3)
    some = gathering.gathered(inputs, 3, "joint")
    assert every.size // 8 < some.patches.size <= every.size // 3
    assert some.shape == (1, 3, 3)
    assert some.facts["inputs"] == 40
    for owner in (0, 20, 39):
        own = gathering.gathered(inputs[[owner, owner]], 3, "joint").patches
        assert (some.patches[some.owners == owner][:, None] == own).all(axis=2).any(axis=1).all()
    with pytest.raises(SamplerError, match="1 inputs with 100 patches are too few"):
        gathering.gathered(inputs[:1], 3, "joint")
    with pytest.raises(SamplerError, match=r"input 1 has patches of shape \(2, 3, 3\)"):
        gathering.gathered([inputs[0], np.zeros((2, 5, 5))], 3, "joint")
    with pytest.raises(SamplerError, match="patch=0: expected at least 1"):
        gathering.gathered(inputs, 0, "joint")
    independent = StudentT.fit(rng.random((9, 2, 12, 12)), 3, "independent")
    assert not independent.covariance[:9, 9:].any()


def test_a_picture_is_explained_with_it(rng):
    picture = rng.random((3, 12, 12)).astype(np.float32)
    model = Softmax(picture.shape)
    e = preddiff.explain(model, picture, sampler="student", window=4, samples=4)
    assert e.provenance["sampler"] == "student"
    assert (e.evidence_error > 0).all()
