"""What tells a network on an input from others, for facts that are kept between runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from preddiff.models.networks.structure import structure

if TYPE_CHECKING:
    from preddiff.models.networks.network import Network


def identity(network: "Network", shape: Sequence[int], node: str | None) -> dict[str, object]:
    """Return what decides how a network is evaluated, the machine and versions aside.

    Parameters
    ----------
    shape : of the input.
    node : what is evaluated; None is the output.
    """
    return {
        "model": network.spec,
        "weights": network.sha256,
        "structure": structure(network.module),
        "preprocessing": network.preprocessing,
        "device": network.device,
        "node": node,
        "input": tuple(shape),
    }
