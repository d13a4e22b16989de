"""Torch networks that end in a target's function, so that every engine runs them."""

import hashlib

import torch
from torch import nn

from preddiff.errors import ModelError, TargetError
from preddiff.models.networks.network import Network
from preddiff.models.request import Output
from preddiff.targets.base import OfOutput, Returned
from preddiff.types import Pixels


def logits_of(network: Network, inputs: Pixels) -> nn.Module | None:
    """Return the part of a network before its softmax; None where it does not end in one.

    Parameters
    ----------
    inputs : one input, (channel, *spatial).
    """
    end = network.head_for(torch.from_numpy(inputs)[None])
    whole = end.columns is None and end.low <= 0 and end.high >= 1
    return end.trunk if end.link == "softmax" and whole else None


class Answer(nn.Module):
    """A network, and a function of what it returns.

    Parameters
    ----------
    network : takes normalised inputs.
    function : returns (n,) or (n, k).
    is_alone : whether it returns (n,).
    is_whole : whether it returns whole numbers, or true and false, which become real ones.
    """

    def __init__(
        self, network: nn.Module, function: Returned, *, is_alone: bool, is_whole: bool = False
    ) -> None:
        super().__init__()
        self.network, self.function = network, function
        self.is_alone, self.is_whole = is_alone, is_whole
        self.training = network.training

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the numbers, (n, k)."""
        values: torch.Tensor = self.function(self.network(inputs))
        values = values.float() if self.is_whole else values
        return values[:, None] if self.is_alone else values

    def extra_repr(self) -> str:
        """Return what tells the function from others: what one cannot do, another may."""
        code = getattr(self.function, "__code__", None)
        facts = (code.co_code, code.co_names, code.co_consts) if code else repr(self.function)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def with_function(network: Network, target: OfOutput, inputs: Pixels) -> tuple[Network, int]:
    """Return the network that gives a target's numbers, and how many there are.

    Parameters
    ----------
    inputs : one input, (channel, *spatial), on which the function is tried.

    Raises
    ------
    TargetError
        If the function does not take what the network gives, or gives anything but numbers.
    """
    with torch.inference_mode():
        normalised = network.normalised(torch.from_numpy(inputs)[None])
        values = _tried(target, network.complete(normalised))
    made = derived(
        network,
        Answer(
            network.complete,
            target.function,
            is_alone=values.ndim == 1,
            is_whole=not values.is_floating_point(),
        ),
        output="probabilities" if target.is_probability else "values",
        unit=None if target.is_probability else target.unit,
    )
    return made, values.numel()


def derived(
    network: Network, module: nn.Module, *, output: Output, unit: str | None = None
) -> Network:
    """Return a network of the same weights that gives something else."""
    result = Network(
        module,
        network.preprocessing if network.takes_pictures else None,
        output=output,
        spec=network.spec,
        train_size=network.train_size,
    )
    result.__dict__["sha256"] = network.sha256
    result.value_unit = unit
    return result


def _tried(target: OfOutput, output: Returned) -> torch.Tensor:
    """Return what the function makes of the output for one input."""
    values = target.called(output, _said(output))
    if not isinstance(values, torch.Tensor):
        raise TargetError(
            f"target {target.name!r}: the function returned {type(values).__name__}: expected a "
            "tensor (n,) or (n, k)"
        )
    target.rows(values, 1)
    if not values.isfinite().all():
        raise ModelError(f"target {target.name!r}: the function returned NaN or infinite values")
    target.check(float(values.min()), float(values.max()))
    return values


def _said(output: Returned) -> str:
    """Return what a network's output is, for messages."""
    if isinstance(output, torch.Tensor):
        return f"a tensor {tuple(output.shape)}"
    if isinstance(output, dict):
        return f"a {type(output).__name__} with {', '.join(map(str, output))}"
    return f"a {type(output).__name__}"
