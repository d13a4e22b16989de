"""Whether a model is a network, asked without importing torch, which takes seconds."""

import sys
from typing import TYPE_CHECKING, TypeGuard

from preddiff.models.base import Model

if TYPE_CHECKING:
    from preddiff.models.networks.network import Network


def is_network(model: Model) -> "TypeGuard[Network]":
    """Return whether a model is a torch network; where nobody imported their class, none is."""
    known = getattr(sys.modules.get("preddiff.models.networks.network"), "Network", None)
    return known is not None and isinstance(model, known)
