"""Networks of HuggingFace, known by what they have: their library is not imported."""

import inspect

from torch import nn


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
