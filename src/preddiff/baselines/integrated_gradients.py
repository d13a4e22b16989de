"""Integrated gradients (Sundararajan, Taly & Yan 2017), by Captum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from preddiff.baselines.base import Baseline, BaselineTask
from preddiff.baselines.captum_methods import as_network, captum, scores_of
from preddiff.types import Pixels, Relevance

if TYPE_CHECKING:
    from preddiff.models.networks.network import Network

_STEPS = 50  # Captum's default
_STEPS_AT_ONCE = 10  # as many passes as a laptop's memory holds of any network


def integrated_gradients(model: Network, inputs: Pixels, targets: Sequence[int]) -> Relevance:
    """Return integrated gradients of the scores before the softmax, summed over channels.

    The path begins at the mean colour that the network subtracts, or at 0 where it subtracts none.
    A map's sum is about how much higher the target scores on the input than there.

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : class numbers.

    Returns
    -------
    (target, *spatial)

    Raises
    ------
    ModelError
        If Captum is not installed, or the network has no scores before the softmax.
    """
    import torch

    # The straight path from the mean colour: a black start would call every dark pixel irrelevant,
    # as integrated gradients are multiplied by how far a pixel is from where the path begins.
    x = torch.from_numpy(inputs)[None]
    mean = np.zeros(len(inputs)) if model.mean is None else np.asarray(model.mean)
    begin = torch.from_numpy(mean).to(x.dtype).reshape(1, -1, *(1,) * (x.ndim - 2)).expand_as(x)
    method = captum(INTEGRATED_GRADIENTS.label).IntegratedGradients(scores_of(model))
    maps = [
        method.attribute(x, begin, target=t, n_steps=_STEPS, internal_batch_size=_STEPS_AT_ONCE)
        for t in targets
    ]
    return np.asarray(torch.cat(maps).sum(1).detach().cpu().double().numpy())


def _compute(task: BaselineTask) -> Relevance:
    network = as_network(task.model, INTEGRATED_GRADIENTS.name)
    return integrated_gradients(network, task.inputs, task.targets)


INTEGRATED_GRADIENTS = Baseline(
    "integrated_gradients", "integrated gradients", signed=True, compute=_compute
)
