"""Closed forms: a logistic model under normal draws, and its standard errors."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special, stats

import preddiff
from pipeline.test_plan import planned
from preddiff.method.analysis import never_stop
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian


def setting(rng, shape, window, patch):
    size = int(np.prod((shape[0], *(patch,) * (len(shape) - 1))))
    root = rng.normal(size=(size, size))
    sampler = ConditionalGaussian(
        np.zeros(size),
        root @ root.T / size,
        (shape[0], *(patch,) * (len(shape) - 1)),
        clip=False,
    )
    weights = 0.6 * rng.normal(size=shape)
    inputs = rng.normal(size=shape).astype(np.float32)
    return Linear(weights, 0.3), inputs, sampler, Windows.over(shape[1:], window)


def expected_probability(model, inputs, sampler, windows):
    """p(c | x without w) for the second class, by numerical integration over the logit."""
    means, covariances = sampler.moments(inputs, windows)
    logit = float((model.weights * inputs).sum() + model.intercept)
    result = np.empty(len(windows))
    for n, start in enumerate(windows.starts):
        box = (slice(None), *(slice(s, s + k) for s, k in zip(start, windows.size, strict=True)))
        v, x = model.weights[box].reshape(-1), inputs[box].reshape(-1)
        mean = logit + v @ (means[n] - x)
        deviation = math.sqrt(v @ covariances[n] @ v)
        result[n] = integrate.quad(
            lambda z, m=mean, d=deviation: special.expit(m + d * z) * stats.norm.pdf(z),
            -10,
            10,
            limit=200,
        )[0]
    return result


def estimates_of_seeds(count, model, inputs, **settings):
    """What an analysis comes to with each of so many seeds, planned once."""
    plan = planned(model, inputs, **settings)
    for seed in range(count):
        run = replace(plan.run, seed=seed)
        run.__dict__["_choice"] = plan.run._choice
        yield run.evidence(run.begin(), never_stop)


@pytest.mark.parametrize(
    ("shape", "window", "patch"), [((1, 8, 9), 3, 5), ((2, 7, 7), 2, 4), ((1, 5, 5, 5), 2, 4)]
)
def test_many_draws_come_to_the_closed_form(rng, shape, window, patch):
    model, inputs, sampler, windows = setting(rng, shape, window, patch)
    e = preddiff.explain(
        model,
        inputs,
        1,
        sampler=sampler,
        window=window,
        margin=1,
        samples=2000,
        engine="dense",
        train_size=math.inf,
    )
    p = expected_probability(model, inputs, sampler, windows)
    expected = np.log2(e.prediction.item() / (1 - e.prediction.item())) - np.log2(p / (1 - p))
    deviation = (e.evidence.values[0] - expected) / e.evidence_error.values[0]
    assert np.abs(deviation).max() < 4
    relevance = windows.mean(expected[None])[0]
    pixels = np.abs(e.relevance.values[0] - relevance) / e.standard_error.values[0]
    assert pixels.max() < 4


def test_standard_errors_cover_the_truth(rng):
    """Over 200 seeds the true value lies within ±1.96 standard errors in 92 to 98 %."""
    model, inputs, sampler, windows = setting(rng, (1, 6, 6), 3, 5)
    p = expected_probability(model, inputs, sampler, windows)
    base = float(model.predict(inputs[None])[0, 1])
    evidence = np.log2(base / (1 - base)) - np.log2(p / (1 - p))
    truth = windows.mean(evidence[None])[0]
    within_pixels, within_windows = [], []
    for each in estimates_of_seeds(
        200, model, inputs, targets=1, sampler=sampler, window=3, margin=1, samples=100,
        engine="dense", train_size=math.inf,
    ):  # fmt: skip
        relevance, error = each.relevance_and_error()
        pixels = np.abs(relevance[0] - truth) <= 1.96 * error[0]
        one_by_one = np.abs(each.evidence[0] - evidence) <= 1.96 * each.error[0]
        within_pixels.append(pixels.mean())
        within_windows.append(one_by_one.mean())
    assert 0.92 <= np.mean(within_pixels) <= 0.98
    assert 0.92 <= np.mean(within_windows) <= 0.98


def test_softmax_over_two_classes_is_the_logistic_model(rng):
    weights, x = rng.normal(size=(1, 4, 4)), rng.normal(size=(5, 1, 4, 4)).astype(np.float32)
    two = Linear(np.stack([np.zeros_like(weights), weights]), [0.0, 0.7])
    np.testing.assert_allclose(Linear(weights, 0.7).predict(x), two.predict(x))
    logit = (weights * x).sum(axis=(1, 2, 3)) + 0.7
    np.testing.assert_allclose(two.predict(x)[:, 1], special.expit(logit))


def test_weights_of_another_shape_are_refused(rng):
    with pytest.raises(preddiff.PreddiffError, match="expected the input's shape, or one such"):
        Linear(np.zeros((1, 4, 4))).predict(np.zeros((2, 1, 5, 5), dtype=np.float32))
