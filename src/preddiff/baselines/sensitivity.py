"""Sensitivity maps of Simonyan, Vedaldi & Zisserman (2013)."""

from collections.abc import Sequence

import numpy as np

from preddiff.baselines.base import Baseline
from preddiff.models import Model
from preddiff.types import Pixels, Relevance


def sensitivity(model: Model, inputs: Pixels, targets: Sequence[int]) -> Relevance | None:
    """Return how strongly each pixel moves a target's value before the softmax.

    It is the largest absolute value, over channels, of the derivative by the input; its sign
    cannot be interpreted (figure 13 of the paper).

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : class numbers.

    Returns
    -------
    (target, *spatial), or None where the model has no gradient.
    """
    # The gradient of a value before the softmax: after it, the gradient of a sure class is about 0
    # everywhere, and mixed with those of all others.
    gradient = model.gradient(inputs, targets)
    return None if gradient is None else np.abs(gradient).max(axis=1).astype(np.float64)


SENSITIVITY = Baseline(
    "sensitivity",
    "sensitivity",
    signed=False,
    compute=lambda request: sensitivity(request.model, request.inputs, request.targets),
    always=True,
)
