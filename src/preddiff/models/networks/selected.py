"""Networks that return several things, of which one is taken: a mapping, a tuple, an object."""

import warnings
from dataclasses import fields, is_dataclass

import torch
from torch import nn

from preddiff.errors import InputWarning, ModelError

USUAL_KEYS = ("logits", "out")
"""Names of the output in HuggingFace's networks, and in torchvision's for segmentation."""

PREFIX = "network."
"""Path of what is within a `Selected` and a `Column`."""


class Selected(nn.Module):
    """A network that returns one of the things that another one returns.

    Parameters
    ----------
    network : returns a mapping, a sequence or an object.
    key : key, number or name of what is taken; a text of digits, where nothing has that name,
        counts.
    """

    def __init__(self, network: nn.Module, key: str | int) -> None:
        super().__init__()
        self.network, self.key = network, key
        self.training = network.training

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what is taken."""
        return _taken(self.network(inputs), self.key)


class Column(nn.Module):
    """A network that returns a number for each input, (n,), as (n, 1).

    Parameters
    ----------
    network : returns (n,).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = network.training

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the numbers, (n, 1)."""
        values: torch.Tensor = self.network(inputs)
        return values[:, None]


def usual(returned: object, spec: str) -> str | int:
    """Return the key of what is taken where the caller named none, and warn of what was assumed.

    That is `logits` or `out`, else the first tensor. Nothing is said of `logits`, which are what is
    meant.

    Parameters
    ----------
    returned : what the network returned.

    Raises
    ------
    ModelError
        If there is no tensor in it.
    """
    tensors = {key: tuple(value.shape) for key, value in _entries(returned).items()}
    if not tensors:
        raise ModelError(
            f"{spec} returned {type(returned).__name__}, in which there is no tensor: expected "
            "class scores; make a number of it by a function (targets=, docs/models.md)"
        )
    key = next((key for key in USUAL_KEYS if key in tensors), next(iter(tensors)))
    if key != USUAL_KEYS[0] and len(tensors) > 1:
        listed = ", ".join(f"{key!r} {shape}" for key, shape in tensors.items())
        warnings.warn(
            f"{spec} returned {type(returned).__name__} with {listed}: {key!r} is taken; for "
            "another one, load_model(network, output_key=...), --output-key KEY",
            InputWarning,
            stacklevel=2,
        )
    return key


def checked(returned: object, key: str | int, spec: str) -> None:
    """Raise a ModelError unless there is a tensor of that key in what a network returned."""
    if isinstance(returned, torch.Tensor):
        raise ModelError(f"output_key={key!r}: {spec} returns one thing; leave it out")
    known = _entries(returned)
    if key not in known and number(key) not in known:
        listed = ", ".join(map(repr, known)) or "no tensors"
        raise ModelError(
            f"output_key={key!r}: {spec} returned {type(returned).__name__} with {listed}; "
            "expected one of these"
        )


def number(key: str | int) -> str | int:
    """Return the number that a text of digits is, as on a command line; any other key as it is."""
    return int(key) if isinstance(key, str) and key.isdecimal() else key


def _entries(returned: object) -> dict[str | int, torch.Tensor]:
    """Return the tensors in what a network returned, by key, number or name."""
    named: dict[str | int, object]
    if isinstance(returned, dict):  # as HuggingFace's outputs are, which are dataclasses as well
        named = dict(returned)
    elif is_dataclass(returned):
        named = {each.name: getattr(returned, each.name) for each in fields(returned)}
    elif hasattr(returned, "_asdict"):
        named = returned._asdict()
    elif isinstance(returned, tuple | list):
        named = dict(enumerate(returned))
    else:
        named = dict(getattr(returned, "__dict__", {}))
    return {key: value for key, value in named.items() if isinstance(value, torch.Tensor)}


def _taken(returned: object, key: str | int) -> torch.Tensor:
    found: torch.Tensor
    # A mapping is not asked for attributes: while torch.fx traces, it has them all.
    if isinstance(returned, dict):
        found = returned[key if key in returned else number(key)]
        return found
    counted = number(key)  # no attribute has a number for a name
    found = returned[counted] if isinstance(counted, int) else getattr(returned, counted)  # type: ignore[index]
    return found
