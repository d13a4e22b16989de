"""Sensitivity maps of Simonyan, Vedaldi & Zisserman (2013)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from preddiff.models import Model


def sensitivity(
    model: Model, inputs: NDArray[np.float32], targets: Sequence[int]
) -> NDArray[np.float64] | None:
    """How strongly each pixel moves a target's value before the softmax.

    The largest absolute value, over channels, of the derivative by the input; its sign cannot be
    interpreted (figure 13 of the paper).

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : classes.

    Returns
    -------
    (target, *spatial), or None where the model has no gradient.
    """
    gradient = model.gradient(inputs, targets)
    return None if gradient is None else np.abs(gradient).max(axis=1).astype(np.float64)
