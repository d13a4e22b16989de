"""Gradient maps of other methods, as Captum has them, of the same targets before the softmax."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from preddiff.errors import ModelError
from preddiff.models.networks.hidden import Downstream
from preddiff.models.networks.network import Network

Floats = NDArray[np.float64]

_STEPS = 50  # Captum's default
_AT_ONCE = 10  # steps


def integrated_gradients(
    model: Network, inputs: NDArray[np.float32], targets: Sequence[int]
) -> Floats:
    """Integrated gradients (Sundararajan, Taly & Yan 2017), summed over channels.

    The path begins at the mean colour that the network subtracts, or at 0 where it subtracts none;
    a map's sum is about how much higher the target scores than there.

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : classes.

    Returns
    -------
    (target, *spatial)

    Raises
    ------
    ModelError
        If Captum is not installed, or the network has no scores before the softmax.
    """
    x = torch.from_numpy(inputs)[None]
    mean = np.zeros(len(inputs)) if model.mean is None else np.asarray(model.mean)
    begin = torch.from_numpy(mean).to(x.dtype).reshape(1, -1, *(1,) * (x.ndim - 2)).expand_as(x)
    method = _captum().IntegratedGradients(_scores(model))
    maps = [
        method.attribute(x, begin, target=t, n_steps=_STEPS, internal_batch_size=_AT_ONCE)
        for t in targets
    ]
    return np.asarray(torch.cat(maps).sum(1).detach().cpu().double().numpy())


def grad_cam(model: Network, inputs: NDArray[np.float32], targets: Sequence[int]) -> Floats:
    """Grad-CAM (Selvaraju et al. 2017) at the last node that has places, enlarged to the input.

    Parameters
    ----------
    inputs : (channel, *spatial) in input space.
    targets : classes.

    Returns
    -------
    (target, *spatial), at least 0.

    Raises
    ------
    ModelError
        If Captum is not installed, or the network has no such node that torch.fx can see.
    """
    rest = Downstream(model, _last_places(model, inputs), inputs, "positions")
    head = _Head(_scores(rest))
    values = torch.from_numpy(rest.values)[None]
    cam = _captum().LayerGradCam(head, head.start)
    maps = torch.cat([cam.attribute(values, target=t, relu_attributions=True) for t in targets])
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[inputs.ndim - 1]
    large = nn.functional.interpolate(maps, inputs.shape[1:], mode=mode)
    return np.asarray(large[:, 0].detach().cpu().double().numpy())


class _Head(nn.Module):
    """What follows a node, with a layer for Captum to look at."""

    def __init__(self, rest: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.start = nn.Identity()
        self.rest = rest

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.rest(self.start(values))


def _last_places(model: Network, inputs: NDArray[np.float32]) -> str:
    """The last node whose values lie on a grid like the input's, but coarser or as fine."""
    shapes = model.nodes(inputs)
    on_grid = [
        name for name, shape in shapes.items() if len(shape) == inputs.ndim and min(shape[1:]) > 1
    ]
    if not on_grid:
        raise ModelError(
            f"grad_cam: {model.spec} has no node with places that torch.fx can see; leave it out"
        )
    return on_grid[-1]


def _scores(model: Network) -> Callable[[torch.Tensor], torch.Tensor]:
    def scores(inputs: torch.Tensor) -> torch.Tensor:
        values = model.scores(inputs)
        if values is None:
            raise ModelError(
                f"{model.spec} returns probabilities, without its scores before them: such maps "
                "are of those; leave the baselines out"
            )
        return values

    return scores


def _captum() -> ModuleType:
    try:
        from captum import attr
    except ImportError:
        raise ModelError(
            "integrated gradients and Grad-CAM are Captum's: pip install 'preddiff[captum]'"
        ) from None
    return cast(ModuleType, attr)
