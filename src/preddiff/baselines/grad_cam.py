"""Grad-CAM (Selvaraju et al. 2017), by Captum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from preddiff.baselines.base import Baseline, BaselineTask
from preddiff.baselines.captum_methods import as_network, captum, scores_of
from preddiff.errors import ModelError
from preddiff.types import Pixels, Relevance

if TYPE_CHECKING:
    from torch import nn

    from preddiff.baselines.captum_methods import Scores
    from preddiff.models.networks.network import Network

_INTERPOLATION = {1: "linear", 2: "bilinear", 3: "trilinear"}  # torch's names, by dimensions


def grad_cam(model: Network, inputs: Pixels, targets: Sequence[int]) -> Relevance:
    """Return Grad-CAM at the last node that lies on a grid, enlarged to the input.

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : class numbers.

    Returns
    -------
    (target, *spatial), at least 0.

    Raises
    ------
    ModelError
        If Captum is not installed, or the network has no such node that torch.fx can see.
    """
    import torch
    from torch import nn

    from preddiff.models.networks.downstream import Downstream

    rest = Downstream(model, _last_on_grid(model, inputs), inputs, "positions")
    head = _with_first_layer(scores_of(rest))
    values = torch.from_numpy(rest.values)[None]
    cam = captum(GRAD_CAM.label).LayerGradCam(head, head[0])
    maps = torch.cat([cam.attribute(values, target=t, relu_attributions=True) for t in targets])
    mode = _INTERPOLATION[inputs.ndim - 1]
    large = nn.functional.interpolate(maps, inputs.shape[1:], mode=mode)
    return np.asarray(large[:, 0].detach().cpu().double().numpy())


def _with_first_layer(rest: Scores) -> nn.Sequential:
    """Return what follows a node as a module, with a layer at its start for Captum to look at."""
    import torch
    from torch import nn

    class Rest(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            """Return the scores that follow from the node's values."""
            return rest(values)

    # Captum looks at a layer's output by a hook; the node itself is no module of the network when
    # it is a function's result, so an identity stands for it.
    return nn.Sequential(nn.Identity(), Rest())


def _last_on_grid(model: Network, inputs: Pixels) -> str:
    """Return the last node whose values lie on a grid like the input's, but coarser or as fine."""
    shapes = model.nodes(inputs)
    on_grid = [
        name for name, shape in shapes.items() if len(shape) == inputs.ndim and min(shape[1:]) > 1
    ]
    if not on_grid:
        raise ModelError(
            f"grad_cam: {model.spec} has no node on a grid that torch.fx can see; leave it out"
        )
    return on_grid[-1]


def _compute(task: BaselineTask) -> Relevance:
    return grad_cam(as_network(task.model, GRAD_CAM.name), task.inputs, task.targets)


GRAD_CAM = Baseline("grad_cam", "Grad-CAM", signed=False, compute=_compute)
