"""What the methods that Captum implements have in common: Captum, and scores to attribute."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, cast

from preddiff.errors import ModelError, SettingError
from preddiff.models.kind import is_network

if TYPE_CHECKING:
    import torch

    from preddiff.models import Model
    from preddiff.models.networks.network import Network

    Scores = Callable[[torch.Tensor], torch.Tensor]


def captum(label: str) -> ModuleType:
    """Return Captum's methods, or raise a ModelError that says how to install them."""
    try:
        from captum import attr
    except ImportError:
        raise ModelError(f"{label} is Captum's: pip install 'preddiff[captum]'") from None
    return cast(ModuleType, attr)


def as_network(model: Model, name: str) -> Network:
    """Return a model that has gradients, or raise a SettingError."""
    if not is_network(model):
        raise SettingError(
            f"baselines={name!r}: needs gradients, and {model.spec} is no torch network; leave it "
            "out"
        )
    return model


def scores_of(model: Network) -> Scores:
    """Return the class scores before the softmax as a function of inputs (n, channel, *spatial).

    After the softmax, gradients of one class mix with those of all others, and vanish where the
    network is sure: the methods are defined on the scores.
    """

    def scores(inputs: torch.Tensor) -> torch.Tensor:
        values = model.scores(inputs)
        if values is None:
            raise ModelError(
                f"{model.spec} returns probabilities, without its scores before them: such maps "
                "are of those; leave the baselines out"
            )
        if inputs.requires_grad and not values.requires_grad:
            raise ModelError(
                f"{model.spec} has no gradient, which such maps are made of; leave the baselines "
                "out"
            )
        return values

    return scores
