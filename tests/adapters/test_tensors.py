"""Captum's, MONAI's and Quantus' interfaces to explanations of tensors."""

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from torch import nn

import preddiff
from preddiff.adapters.captum import PredictionDifference
from preddiff.adapters.monai import PredictionDifferenceInferer
from preddiff.adapters.quantus import explain_func
from preddiff.errors import InputWarning, SettingError

PLAIN = {"sampler": "constant:0", "window": 4, "stride": 4}


@pytest.fixture
def pictures():
    torch.manual_seed(3)
    return torch.rand(2, 3, 16, 16)


@pytest.fixture
def probabilities(small_network):
    return nn.Sequential(small_network, nn.Softmax(1)).eval()


def test_the_example_of_captums_occlusion_gives_the_same():
    """Its docstring: inputs N×4×4, three classes, each 3×3 patch ablated."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1)).eval()
    inputs = torch.randn(2, 4, 4)
    example = {"target": 1, "sliding_window_shapes": (3, 3), "baselines": 0}
    ours = PredictionDifference(net, measure="DP").attribute(inputs, **example)
    torch.testing.assert_close(ours, Occlusion(net).attribute(inputs, **example))


def test_windows_strides_and_targets_are_those_of_captum(probabilities, pictures):
    asked = {
        "target": torch.tensor([1, 2]), "sliding_window_shapes": (3, 4, 6), "strides": (3, 2, 2),
        "baselines": 0,
    }  # fmt: skip
    ours = PredictionDifference(probabilities, measure="DP").attribute(pictures, **asked)
    torch.testing.assert_close(ours, Occlusion(probabilities).attribute(pictures, **asked))
    assert (ours.shape, ours.device, ours.dtype) == (
        pictures.shape,
        pictures.device,
        pictures.dtype,
    )


def test_a_function_with_further_arguments(probabilities, pictures):
    def warmer(inputs, degrees):
        return (probabilities(inputs).log() / degrees).softmax(1)

    ours = PredictionDifference(warmer, measure="DP", output="probabilities")
    asked = {"target": 0, "sliding_window_shapes": (3, 8, 8), "strides": (3, 8, 8), "baselines": 0,
             "additional_forward_args": 2.0}  # fmt: skip
    found = ours.attribute(pictures, engine="dense", **asked)
    torch.testing.assert_close(found, Occlusion(warmer).attribute(pictures, **asked))


def test_normalised_pictures_give_what_the_pictures_give(small_network, pictures):
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
    how = {"mean": mean, "std": std}
    shape = (1, 3, 1, 1)
    normalised = (pictures - torch.tensor(mean).reshape(shape)) / torch.tensor(std).reshape(shape)
    model = preddiff.load_model(small_network, preprocess=how)
    expected = [preddiff.explain(model, each.numpy(), 2, **PLAIN).relevance[0] for each in pictures]
    inferer = PredictionDifferenceInferer(2, **how, **PLAIN)
    ours = inferer(normalised, small_network)
    assert ours.shape == (2, 1, 16, 16)
    np.testing.assert_allclose(ours[:, 0], np.stack(expected), atol=1e-5)
    of_quantus = explain_func(
        model=small_network, inputs=normalised.numpy(), targets=np.array([2, 2]), **how, **PLAIN
    )
    np.testing.assert_array_equal(of_quantus, ours)


def test_normalised_pictures_are_refused_with_what_to_say(small_network, pictures):
    normalised = 4 * pictures - 2
    windows = {"target": 2, "sliding_window_shapes": (3, 8, 8), "strides": (3, 8, 8)}
    with (
        pytest.raises(SettingError, match=r"inputs from -.* to .*: .* mean=\[…\], std=\[…\]"),
        pytest.warns(InputWarning, match="look like those of a normalised picture"),
    ):
        PredictionDifference(small_network).attribute(normalised, **windows)
    undone = PredictionDifference(small_network, mean=[0.5] * 3, std=[0.25] * 3)
    assert undone.attribute(normalised, **windows).shape == pictures.shape


def test_wrong_windows_and_targets_are_told(small_network, pictures):
    ours = PredictionDifference(small_network)
    with pytest.raises(SettingError, match="windows hide all channels together"):
        ours.attribute(pictures, sliding_window_shapes=(1, 4, 4), target=0)
    with pytest.raises(SettingError, match="target: 3 for 2 inputs; expected one, or as many"):
        ours.attribute(pictures, target=[0, 1, 2])
    with pytest.raises(SettingError, match=r"expected one tensor, \(n, channel, \*spatial\)"):
        explain_func(small_network, np.zeros((2, 5), dtype=np.float32), [0, 0])
