"""Networks of HuggingFace, and any that return what they found as an object with `logits`.

They are known by what they have: their library is not imported.
"""

import inspect

import torch
from torch import nn


class Logits(nn.Module):
    """A network that returns the logits alone.

    Parameters
    ----------
    network : takes `pixel_values`, and returns an object or a mapping with `logits`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = network.training

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, class)."""
        found = self.network(inputs)
        # A mapping is not asked for attributes: while torch.fx traces, it has them all.
        logits: torch.Tensor = found["logits"] if isinstance(found, dict) else found.logits
        return logits


def takes_pixel_values(module: nn.Module) -> bool:
    """Return whether a module's first argument is called as HuggingFace's networks call it."""
    try:
        parameters = inspect.signature(module.forward).parameters
    except ValueError:  # of frozen TorchScript
        return False
    return next(iter(parameters), "") == "pixel_values"


def labels(module: nn.Module) -> list[str] | None:
    """Return the names of the classes in a network's configuration; None where there are none."""
    mapping = getattr(getattr(module, "config", None), "id2label", None)
    if not mapping:
        return None
    named = {int(number): str(name) for number, name in mapping.items()}
    return [named[number] for number in sorted(named)]
