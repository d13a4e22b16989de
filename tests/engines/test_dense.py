"""The dense engine, and what must not depend on how it batches."""

import numpy as np
import pytest
import torch

import preddiff
from preddiff.engines import Dense
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.samplers import ConditionalGaussian


def test_dense_replaces_the_window_and_nothing_else(rng):
    inputs = rng.random((2, 5, 6)).astype(np.float32)
    seen = []

    def remember(batch):
        seen.extend(batch.copy())
        return np.full((len(batch), 2), 0.5)

    engine = Dense(preddiff.load_model(remember), inputs, [1])
    windows = Windows.over((5, 6), 3)
    draws = rng.random((len(windows), 1, 2, 3, 3)).astype(np.float32)
    seen.clear()
    values = engine.evaluate(windows.starts, draws)
    assert values.shape == (len(windows), 1, 1)
    for picture, (y, x), draw in zip(seen, windows.starts, draws[:, 0], strict=True):
        expected = inputs.copy()
        expected[:, y : y + 3, x : x + 3] = draw
        np.testing.assert_array_equal(picture, expected)


def test_results_are_the_same_for_every_batch_size(rng, small_network):
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    model = Network(small_network)
    windows = Windows.over((16, 16), 5, stride=3)
    sampler = ConditionalGaussian.natural(9)
    draws = sampler.draw(inputs, windows, samples=3, seed=0, valid=(0, 1))
    values = [
        Dense(model, inputs, [0, 3], batch=batch).evaluate(windows.starts, draws)
        for batch in (1, 7, 64)
    ]
    np.testing.assert_allclose(values[1], values[0], atol=1e-6)
    np.testing.assert_allclose(values[2], values[0], atol=1e-6)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_explain_gives_the_same_draws_for_every_batch_size(rng, monkeypatch, batch):
    """And so the same evidence as with the machine's own batch size."""
    from preddiff.engines import dense

    inputs = rng.random((3, 12, 12)).astype(np.float32)

    def brightness(pictures):
        p = pictures.mean(axis=(1, 2, 3), dtype=np.float64)
        return np.stack([p, 1 - p], axis=1)

    settings = {"targets": 0, "window": 4, "stride": 2, "samples": 5}
    expected = preddiff.explain(brightness, inputs, **settings)
    monkeypatch.setattr(dense, "_batch_within", lambda *_: batch)
    result = preddiff.explain(brightness, inputs, **settings)
    np.testing.assert_allclose(result.evidence, expected.evidence, atol=1e-6)
    other = preddiff.explain(brightness, inputs, seed=1, **settings)
    assert not np.allclose(other.evidence, expected.evidence, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_constant_and_activation_difference_are_captums_occlusion(rng, small_network, stride):
    """Where every window is inside the picture; Captum's mean is over the same windows."""
    from captum.attr import Occlusion

    size = 4
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(
        preddiff.load_model(small_network, output="probabilities"),
        inputs,
        targets=[2],
        sampler="constant:0.3",
        window=size,
        stride=stride,
        measure="activation_difference",
    )
    theirs = Occlusion(small_network).attribute(
        torch.from_numpy(inputs)[None],
        target=2,
        sliding_window_shapes=(3, size, size),
        strides=(3, stride, stride),
        baselines=0.3,
    )
    assert (16 - size) % stride == 0  # else Captum adds windows that stick out
    np.testing.assert_allclose(e.relevance.values[0], theirs[0, 0].numpy(), atol=1e-5)


def test_a_batch_is_within_the_memory(rng, small_network):
    """Three of the largest activations, of 6 channels of 16×16 pixels in float32, for each draw."""
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    each = 3 * 6 * 16 * 16 * 4
    for memory, batch in ((each, 1), (5 * each, 5), (5 * each - 1, 4), (10**9, 8), (1, 1)):
        assert Dense(Network(small_network), inputs, [0], memory=memory).batch == batch
    assert Dense(Network(small_network), inputs, [0]).batch == 8
