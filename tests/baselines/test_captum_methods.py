"""Methods that need scores before the softmax say so where there are none."""

import sys

import numpy as np
import pytest
from torch import nn

from preddiff.baselines.captum_methods import captum
from preddiff.baselines.integrated_gradients import integrated_gradients
from preddiff.errors import ModelError
from preddiff.models.networks.network import Network


class Squares(nn.Module):
    """Probabilities that come from no softmax."""

    def forward(self, values):
        return values**2 / (values**2).sum(1, keepdim=True)


def test_probabilities_alone_are_refused(rng):
    sure = Network(nn.Sequential(nn.Flatten(), nn.Linear(768, 2), Squares()).eval())
    with pytest.raises(ModelError, match="without its scores"):
        integrated_gradients(sure, rng.random((3, 16, 16), dtype=np.float32), [0])


def test_captum_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(ModelError, match=r"Grad-CAM is Captum's: pip install 'preddiff\[captum\]'"):
        captum("Grad-CAM")
