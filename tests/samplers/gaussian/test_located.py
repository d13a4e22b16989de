"""A normal for every cell of a grid, held against what the textbook says of each cell."""

import numpy as np
import pytest

import preddiff
from preddiff.engines import ClosedForm
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian, Located
from preddiff.samplers import load as loading
from samplers.cohort import GRID, PATCH, SHAPE
from samplers.textbook import direct

POSITIONS = [(0, 0, 0), (3, 4, 2), (4, 4, 3), (9, 8, 7), (5, 0, 4), (4, 5, 7)]


def test_draws_are_conditioned_by_the_normal_of_the_patchs_cell(cohort, located):
    inputs = cohort[0]
    windows = Windows(SHAPE[1:], (1, 1, 1), np.array(POSITIONS))
    means, covariances = located.moments(inputs, windows)
    draws = located.draw(inputs, windows, 20_000, 1, None).reshape(len(POSITIONS), -1)
    for n, position in enumerate(POSITIONS):
        corner = [
            min(max(p - 1, 0), size - PATCH) for p, size in zip(position, SHAPE[1:], strict=True)
        ]
        cell = located.grid.numbers(np.array([corner]))[0]
        one = ConditionalGaussian(*located.normal_of(cell), (1, 3, 3, 3))
        mean, covariance = direct(one, inputs, position, (1, 1, 1))
        np.testing.assert_allclose(means[n], mean, atol=1e-6)
        np.testing.assert_allclose(covariances[n], covariance, rtol=1e-6)
        deviation = np.sqrt(covariance[0, 0])
        assert abs(draws[n].mean() - mean[0]) < 5 * deviation / np.sqrt(20_000)
        assert draws[n].std() == pytest.approx(deviation, rel=0.03)


def test_where_volumes_vary_more_draws_vary_more(cohort, located):
    windows = Windows(SHAPE[1:], (1, 1, 1), np.array([(1, 4, 4), (8, 4, 4)]))
    one = ConditionalGaussian.fit(cohort, patch=PATCH, clip=False)
    near, far = (c[0, 0] for c in located.moments(cohort[0], windows)[1])
    same = [c[0, 0] for c in one.moments(cohort[0], windows)[1]]
    assert same[0] == pytest.approx(same[1])
    assert near < same[0] < far


@pytest.mark.parametrize("classes", [2, 3])
def test_the_closed_form_is_what_many_draws_come_to(rng, cohort, located, classes):
    weights = 0.3 * rng.normal(size=SHAPE if classes == 2 else (classes, *SHAPE))
    total = (weights * cohort[0]).sum(axis=(-4, -3, -2, -1))
    model = Linear(weights, -total)
    windows = Windows(SHAPE[1:], (2, 2, 2), np.array([(0, 0, 0), (3, 4, 2), (8, 7, 6), (4, 0, 3)]))
    form = ClosedForm(model, cohort[0], range(classes), None, located.project, 1 << 30)
    p, _ = form.expect(windows)
    draws = located.draw(cohort[0], windows, 40_000, 2, None)
    for n, start in enumerate(windows.starts):
        box = tuple(slice(s, s + 2) for s in start)
        filled = np.zeros((40_000, *SHAPE))
        filled[(slice(None), slice(None), *box)] = draws[n] - cohort[0][(slice(None), *box)]
        held = filled[(slice(None), slice(None), *box)].reshape(40_000, -1)
        weight, _ = model.per_class(SHAPE)
        change = held @ weight[(slice(None), slice(None), *box)].reshape(classes, -1).T
        values = np.exp(change - np.logaddexp.reduce(change, axis=1, keepdims=True))
        deviation = (values.mean(axis=0) - p[:, n]) / (values.std(axis=0) / 200)
        assert np.abs(deviation).max() < 4


def test_only_cells_that_a_mask_reaches_are_fitted(cohort):
    mask = np.zeros(SHAPE[1:], dtype=bool)
    mask[7:, 1:6, 1:5] = True
    some = Located.fit(cohort, patch=PATCH, grid=GRID, mask=mask)
    assert set(some.fitted) == {6, 7, 8, 9, 10, 11}
    mean, covariance = some.normal_of(0)
    whole = ConditionalGaussian.fit(cohort, patch=PATCH, mask=mask)
    np.testing.assert_allclose(mean, whole.mean)
    np.testing.assert_allclose(covariance, whole.covariance)


def test_little_memory_means_more_passes_and_the_same_sampler(cohort, located):
    passes = []

    class Volumes:
        def __iter__(self):
            passes.append(1)
            return iter(cohort)

    small = Located.fit(Volumes(), patch=PATCH, grid=GRID, clip=False, memory=50_000)
    assert len(passes) > 3
    np.testing.assert_array_equal(small.units, located.units)
    assert small.sha256 == located.sha256


def test_an_analysis_of_the_next_input_is_as_of_the_first(cohort, located):
    weights, windows = np.ones((1, *SHAPE)), Windows.over(SHAPE[1:], 1)
    for inputs in (*cohort[:3], cohort[0]):
        mean, covariance = next(iter(located.project(weights, inputs, windows)))
        means, covariances = located.moments(inputs, windows)
        np.testing.assert_allclose(mean[0], means[:, 0] - inputs.reshape(-1), atol=1e-9)
        np.testing.assert_allclose(covariance[0, 0], np.reshape(covariances, -1), rtol=1e-9)


def test_saved_and_loaded_it_is_the_same(tmp_path, cohort, located):
    located.save(tmp_path / "located.npz")
    windows = Windows.over(SHAPE[1:], 1, 3)
    for loaded in (
        Located.load(tmp_path / "located.npz"),
        loading.read_sampler(tmp_path / "located.npz"),
    ):
        assert loaded.sha256 == located.sha256
        found = loaded.draw(cohort[1], windows, 3, 7, None)
        np.testing.assert_array_equal(found, located.draw(cohort[1], windows, 3, 7, None))
    with pytest.raises(SamplerError, match="holds a located sampler, expected a conditional one"):
        ConditionalGaussian.load(tmp_path / "located.npz")
    assert located.summary()["cells"] == "2×3×2"


def test_pairs_are_antithetic(cohort, located):
    windows = Windows.over(SHAPE[1:], 1, 4)
    draws = located.paired().draw(cohort[0], windows, 4, 0, None)
    means, _ = located.moments(cohort[0], windows)
    middle = draws[:, ::2] + draws[:, 1::2]
    np.testing.assert_allclose(middle[:, 0].reshape(len(windows), -1), 2 * means, atol=1e-4)


def test_explain_takes_it_and_the_file(tmp_path, rng, cohort, located):
    model = Linear(0.1 * rng.normal(size=SHAPE))
    located.save(tmp_path / "located.npz")
    e = preddiff.explain(model, cohort[0], 1, sampler=located, window=1)
    assert e.provenance["engine"] == "closed form"
    again = preddiff.explain(
        model, cohort[0], 1, sampler=f"conditional:{tmp_path}/located.npz", window=1, margin=1
    )
    np.testing.assert_array_equal(again.evidence, e.evidence)
    drawn = preddiff.explain(model, cohort[0], 1, sampler=located, window=1, engine="dense")
    z = (drawn.evidence - e.evidence).values / drawn.evidence_error.values
    assert np.abs(z).mean() < 1.2
    with pytest.raises(SamplerError, match="needs patches of 5, .* on patches of 3×3×3"):
        preddiff.explain(
            model, cohort[0], sampler=f"conditional:{tmp_path}/located.npz", window=1, margin=2
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"volumes": (v for v in ())}, "gone through several times: expected a list"),
        ({"grid": (2, 2)}, r"grid=\(2, 2\): expected 3 numbers of cells of at least 1"),
        ({"grid": (2, 0, 2)}, r"grid=\(2, 0, 2\)"),
        ({"mask": np.ones((2, 2, 2))}, r"a mask of shape \(2, 2, 2\): expected that of input 0"),
        ({"patch": 12}, "at least 12 in each direction"),
        (
            {"volumes": [np.ones(SHAPE)] * 9 + [np.ones((1, 10, 9, 9))]},
            r"input 9 has shape \(1, 10, 9, 9\): expected \(10, 9, 8\) as the first",
        ),
    ],
)
def test_fits_that_cannot_be(cohort, arguments, message):
    with pytest.raises(SamplerError, match=message):
        Located.fit(**{"volumes": cohort, "patch": 3, "grid": GRID, **arguments})


def test_another_grid_is_refused(located):
    other = np.zeros((1, 9, 9, 8), dtype=np.float32)
    with pytest.raises(SamplerError, match="fitted on volumes of 10×9×8, the input has 9×9×8"):
        located.check(other, Windows.over((9, 9, 8), 1), None)
