"""Single units of a hidden node as targets (section 3.3 of the paper)."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import fx

from preddiff.errors import TargetError
from preddiff.models.networks.network import Network
from preddiff.models.targets import Unit, unit_name
from preddiff.types import Pixels


def select_units(
    network: Network, node: str, wanted: Sequence[Unit], inputs: Pixels
) -> tuple[Network, str]:
    """Return a network that gives single units of a node, and the name of the node that has them.

    Parameters
    ----------
    inputs : (channel, *spatial), one input.

    Raises
    ------
    TargetError
        If there is no such node or unit.
    """
    with torch.inference_mode():
        shape = network.raw(torch.from_numpy(inputs)[None], node).shape[1:]
    for unit in wanted:
        _check(unit, shape, node)
    traced = network.graph_with(node)
    part = traced.upto(traced.node(node))
    # A map's channels stand for the means over their positions (`Network.predict`). So the units
    # are read by a node of their own, (n, unit), appended to the part of the network that leads to
    # theirs; engines then treat them as they treat any node of features.
    graph = copy.deepcopy(part.graph)
    end = next(n for n in graph.nodes if n.op == "output")
    with graph.inserting_before(end):
        reading = graph.call_function(_read, (end.args[0], tuple(wanted)))
    end.args = (reading,)
    return network.with_module(fx.GraphModule(part, graph).eval()), reading.name


def _read(values: torch.Tensor, wanted: Sequence[Unit]) -> torch.Tensor:
    """(n, unit) of (n, channel, *spatial)."""
    each = []
    for channel, position in wanted:
        flat = values[:, channel].flatten(1)
        if position is None:
            each.append(flat.mean(1))
        else:
            each.append(flat[:, int(np.ravel_multi_index(position, values.shape[2:]))])
    return torch.stack(each, dim=1)


def _check(unit: Unit, shape: Sequence[int], node: str) -> None:
    channel, position = unit
    lengths = shape[1:]
    fits = position is None or (
        len(position) == len(lengths) and all(p < n for p, n in zip(position, lengths, strict=True))
    )
    if channel >= shape[0] or not fits:
        raise TargetError(
            f"target {unit_name(unit)!r}: node {node!r} has {shape[0]} channels"
            + (f" of {'×'.join(map(str, lengths))} units" if lengths else ", and no positions")
        )
