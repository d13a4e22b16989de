"""The engine that needs no draws, held against draws."""

import math

import numpy as np
import pytest
from scipy import special

import preddiff
from preddiff.engines import ClosedForm
from preddiff.errors import SettingError
from preddiff.method.evidence import log2_odds
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian, Constant, Marginal


def normal_sampler(rng, shape):
    size = int(np.prod(shape))
    root = rng.normal(size=(size, size))
    covariance = root @ root.T / size
    return ConditionalGaussian(rng.normal(size=size), covariance, shape, clip=False)


def setting(rng, shape, classes, patch, kind):
    """A model that is not sure of itself, an input and a sampler."""
    weights = 0.8 * rng.normal(size=shape if classes == 2 else (classes, *shape))
    inputs = rng.normal(size=shape).astype(np.float32)
    total = (weights * inputs).sum(axis=tuple(range(-len(shape), 0)))
    model = Linear(weights, rng.normal(size=total.shape) - total)
    samplers = {
        "conditional": lambda: normal_sampler(rng, (shape[0], *(patch,) * (len(shape) - 1))),
        "marginal": lambda: Marginal(rng.normal(size=(12, *shape))),
        "constant": lambda: Constant(rng.normal(size=shape[0]), clip=False),
    }
    return model, inputs, samplers[kind]()


@pytest.mark.parametrize("kind", ["marginal", "constant"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("shape", [(2, 7, 9), (1, 6, 7, 5)])
def test_a_pool_gives_what_all_its_draws_give(rng, shape, classes, kind):
    model, inputs, sampler = setting(rng, shape, classes, 5, kind)
    given = {"targets": "all", "sampler": sampler, "window": 3, "samples": 12}
    exact = preddiff.explain(model, inputs, **given)
    drawn = preddiff.explain(model, inputs, engine="dense", **given)
    assert exact.provenance["engine"] == "closed form"
    assert exact.provenance["samples"] == 0
    np.testing.assert_allclose(exact.evidence, drawn.evidence, rtol=0, atol=1e-6)  # of float32
    np.testing.assert_allclose(exact.relevance, drawn.relevance, rtol=0, atol=1e-6)
    assert not exact.standard_error.any()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    ("shape", "places"),
    [
        ((2, 9, 8), [(3, 3), (0, 4), (6, 5), (0, 0), (1, 5), (6, 0)]),
        ((1, 8, 9, 7), [(2, 3, 2), (0, 3, 2), (5, 2, 4), (0, 6, 2), (1, 0, 0), (5, 6, 4)]),
    ],
)
def test_it_is_what_a_hundred_thousand_draws_come_to(rng, shape, classes, places):
    """In the interior, at faces, edges and corners."""
    model, inputs, sampler = setting(rng, shape, classes, 5, "conditional")
    windows = Windows(shape[1:], (3,) * (len(shape) - 1), np.array(places))
    exact = ClosedForm(model, inputs, range(classes), None, sampler.project, 1 << 30)
    p, error = exact.expect(windows)
    draws = sampler.draw(inputs, windows, 100_000, 5, None).reshape(len(places), 100_000, -1)
    weights, _ = model.per_class(shape)
    logits = np.log(model.predict(inputs[None])[0])
    for n, start in enumerate(places):
        box = (slice(None), *(slice(s, s + 3) for s in start))
        change = draws[n] - inputs[box].reshape(-1)
        held = weights[(slice(None), *box)].reshape(classes, -1)
        values = special.softmax(logits + change @ held.T, axis=1)
        deviation = (values.mean(axis=0) - p[:, n]) / (values.std(axis=0) / math.sqrt(100_000))
        assert np.abs(deviation).max() < 4
    assert not error.any()


def test_some_windows_or_little_memory_change_nothing(rng):
    model, inputs, sampler = setting(rng, (1, 9, 10, 8), 3, 5, "conditional")
    every = Windows.over(inputs.shape[1:], 3)
    p, _ = ClosedForm(model, inputs, [0, 2], None, sampler.project, 1 << 30).expect(every)
    small = ClosedForm(model, inputs, [0, 2], None, sampler.project, 30_000)
    np.testing.assert_allclose(small.expect(every)[0], p, rtol=1e-12)
    which = rng.permutation(len(every))[:70]
    np.testing.assert_allclose(small.expect(every.subset(which))[0], p[:, which], rtol=1e-12)


def test_copies_of_few_planes_change_nothing(rng, monkeypatch):
    from preddiff.samplers.gaussian import box_columns

    model, inputs, sampler = setting(rng, (2, 12, 10), 2, 5, "conditional")
    windows = Windows.over(inputs.shape[1:], 3)
    form = ClosedForm(model, inputs, [1], None, sampler.project, 1 << 30)
    p, _ = form.expect(windows)
    monkeypatch.setattr(box_columns, "_MAX_COPY_BYTES", 1)
    np.testing.assert_allclose(form.expect(windows)[0], p, rtol=1e-12)


def test_windows_without_weight_are_exactly_0_and_count_in_the_mean(rng):
    weights = np.zeros((1, 8, 9, 7))
    weights[0, 4, 4, 3] = 2.0
    inputs = rng.normal(size=weights.shape).astype(np.float32)
    sampler = normal_sampler(rng, (1, 5, 5, 5))
    e = preddiff.explain(Linear(weights, -0.2), inputs, 1, sampler=sampler, window=3)
    held = e.evidence.values[0] != 0
    assert held.sum() == 27
    assert e.coverage.values[4, 4, 2] == 27
    some = e.evidence.values[0][held]
    assert e.relevance.values[0, 4, 4, 3] == pytest.approx(some.sum() / 27)
    corner = e.relevance.values[0, 2, 2, 1] * e.coverage.values[2, 2, 1]
    assert corner == pytest.approx(some[0])
    assert e.relevance.values[0, 0, 0, 0] == 0


def test_a_mask_and_a_stride_limit_the_windows(rng):
    model, inputs, sampler = setting(rng, (1, 9, 9, 9), 2, 5, "conditional")
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2:4, 5, 5] = True
    every = preddiff.explain(model, inputs, 1, sampler=sampler, window=3)
    some = preddiff.explain(model, inputs, 1, sampler=sampler, window=3, mask=mask)
    assert some.data.sizes["window"] == 36
    number = {tuple(start): n for n, start in enumerate(every.data["window_start"].values)}
    which = [number[tuple(start)] for start in some.data["window_start"].values]
    np.testing.assert_allclose(some.evidence, every.evidence[:, which], rtol=1e-9)
    strided = preddiff.explain(model, inputs, 1, sampler=sampler, window=3, stride=2)
    which = [number[tuple(start)] for start in strided.data["window_start"].values]
    np.testing.assert_allclose(strided.evidence, every.evidence[:, which], rtol=1e-9)


def test_a_regression_is_a_linear_models_logits(rng):
    model, inputs, sampler = setting(rng, (1, 8, 9), 2, 5, "conditional")
    e = preddiff.explain(model, inputs, 1, node="logits", sampler=sampler, window=3)
    assert e.provenance["measure"] == "activation_difference"
    assert e.provenance["engine"] == "closed form"
    windows = Windows.over((8, 9), 3)
    means, _ = sampler.moments(inputs, windows)
    for n, (y, x) in enumerate(windows.starts):
        box = np.s_[:, y : y + 3, x : x + 3]
        expected = model.weights[box].reshape(-1) @ (inputs[box].reshape(-1) - means[n])
        assert e.evidence.values[0, n] == pytest.approx(expected, rel=1e-9)


def test_the_closed_form_is_told_and_reported(rng, capsys):
    model, inputs, sampler = setting(rng, (1, 8, 9), 2, 5, "conditional")
    seen, told = [], []
    e = preddiff.explain(
        model, inputs, 1, sampler=sampler, window=3, callback=seen.append,
        progress=lambda done, of: told.append((done, of)),
    )  # fmt: skip
    assert told == [(42, 42)]
    np.testing.assert_array_equal(seen[0].evidence, e.evidence)
    np.testing.assert_allclose(
        e.evidence[0] * 0 + e.prediction.item(), model.predict(inputs[None])[0, 1]
    )
    assert e.provenance["evaluations"] == 1
    assert e.provenance["precision"] == "float64"
    assert "42 windows, exact (closed form, no sampling), bits" in repr(e)
    preddiff.explain(model, inputs, sampler=sampler, window=3, progress=True)
    assert "42 windows in closed form, without draws" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "sampler", "message"),
    [
        (
            lambda x: np.full((len(x), 2), 0.5),
            Constant(0),
            "<lambda> is no linear model.* choose engine='auto'",
        ),
        (Linear(np.ones((3, 8, 8))), "conditional", "draws are clipped, .* clip=False"),
    ],
)
def test_what_has_no_closed_form_says_so(rng, model, sampler, message):
    inputs = rng.random((3, 8, 8)).astype(np.float32)
    given = {"sampler": sampler, "window": 3, "margin": 1}
    with pytest.raises(SettingError, match=f"engine='linear': .*{message}"):
        preddiff.explain(model, inputs, engine="linear", **given)
    assert preddiff.explain(model, inputs, **given).provenance["engine"] == "dense"


def test_evidence_is_of_the_corrected_odds(rng):
    model, inputs, sampler = setting(rng, (1, 8, 9), 2, 5, "conditional")
    e = preddiff.explain(model, inputs, 1, sampler=sampler, window=3, train_size=50)
    form = ClosedForm(model, inputs, [1], None, sampler.project, 1 << 30)
    p = form.expect(Windows.over((8, 9), 3))[0]
    base = e.prediction.values[:, None]
    expected = log2_odds((base * 50 + 1) / 52) - log2_odds((p * 50 + 1) / 52)
    np.testing.assert_allclose(e.evidence, expected, rtol=1e-9)
