"""Networks with shuffled weights."""

import numpy as np
import pytest
import torch

from preddiff import load_model
from preddiff.errors import ModelError
from preddiff.studies.evaluation.randomisation import randomised


@pytest.fixture
def model(small_network):
    return load_model(small_network, output="logits")


def different(first, second):
    """Names of the parameters that differ."""
    others = dict(second.module.named_parameters())
    return {n for n, p in first.module.named_parameters() if not torch.equal(p, others[n])}


@pytest.mark.parametrize(
    ("share", "layers"), [(0, "6"), (0.3, "6"), (0.5, "36"), (0.7, "036"), (1, "036")]
)
def test_layers_are_shuffled_from_the_last_one_back(model, share, layers):
    expected = {f"{layer}.weight" for layer in layers}
    assert different(model, randomised(model, share=share)) == expected


def test_weights_are_the_same_in_another_order_and_the_model_stays(model):
    before = {name: p.clone() for name, p in model.module.named_parameters()}
    shuffled = dict(randomised(model, share=1).module.named_parameters())
    for name, weights in model.module.named_parameters():
        assert torch.equal(weights, before[name])
        assert torch.equal(weights.flatten().sort()[0], shuffled[name].flatten().sort()[0])


def test_it_answers_otherwise_and_the_same_for_a_seed(model, rng):
    picture = rng.random((1, 3, 16, 16), dtype=np.float32)
    first, again, other = (
        randomised(model, share=0, seed=seed).predict(picture) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first, model.predict(picture))


def test_what_has_no_weights_is_refused():
    with pytest.raises(ModelError, match="is no torch network, whose weights could be"):
        randomised(load_model(lambda inputs: inputs.mean(axis=(2, 3))), share=0)
    module = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    with pytest.raises(ModelError, match="has no weights that could be randomised"):
        randomised(load_model(module, output="logits"), share=0)
