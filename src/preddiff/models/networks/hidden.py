"""Parts of a network: what follows a hidden node, and single units of one (section 3.3)."""

import copy
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import fx

from preddiff.errors import SettingError, TargetError, nearest
from preddiff.models.base import Inputs
from preddiff.models.networks.graph import Graph
from preddiff.models.networks.network import Network
from preddiff.models.networks.recorder import Recorder
from preddiff.models.targets import Unit, unit_name

WindowKind = Literal["positions", "channel", "unit"]
"""What a window over a hidden node hides: all channels at some places, a channel, or a unit."""


class Downstream(Network):
    """What follows a hidden node, as a function of that node's values (equation 5's h to z).

    Everything that does not depend on the node keeps the values that it has on `inputs`.

    Parameters
    ----------
    origin : the whole network.
    source : the hidden node.
    inputs : (channel, *spatial), the input as the origin sees it.
    view : what is hidden at a time; it says how `values` are laid out.

    Attributes
    ----------
    values : the node's values on `inputs`: (channel, *spatial) where places are hidden, (place,
        channel) for channels, (1, channel, *spatial) for units.
    axes : names of the axes that windows move along.

    Raises
    ------
    TargetError
        If there is no such node, or the output does not depend on it.
    """

    def __init__(self, origin: Network, source: str, inputs: Inputs, view: WindowKind) -> None:
        graph = origin.graph_with(source)
        self.origin = origin
        self.source = source
        self.view = view
        with torch.inference_mode():
            whole = torch.from_numpy(inputs)[None]
            values = origin.raw(whole, source)
            origin.raw(whole)  # finds the head, so that what the output is becomes known
            part = _after(graph, source, origin.normalised(whole), view, values)
        super().__init__(
            part, output=origin.wish, spec=origin.spec, labels=origin.labels,
            train_size=origin.train_size,
        )  # fmt: skip
        self.__dict__["sha256"] = origin.sha256
        self.values = self._seen(values)
        spatial = ("z", "y", "x")[3 - (values.ndim - 2) :] if values.ndim > 2 else ()
        self.axes = spatial if view == "positions" else ("channel", *(spatial * (view == "unit")))

    def prepare(self, image: Image.Image | Inputs) -> Inputs:
        """The source's values, laid out as the view wants them, on a picture or an input."""
        inputs = torch.from_numpy(self.origin.prepare(image))[None]
        with torch.inference_mode():
            return self._seen(self.origin.raw(inputs, self.source))

    def leads_to(self, node: str) -> None:
        """Raise a TargetError unless a node depends on the source."""
        behind = self.graph_with(node).nodes
        self.origin.graph_with(node).node(node)
        if node not in behind:
            raise TargetError(
                f"source {self.source!r} does not lead to node {node!r}: expected a node behind it"
                f"{nearest(node, behind)}"
            )

    def _seen(self, values: torch.Tensor) -> Inputs:
        array = values[0].float().cpu().numpy()
        if self.view == "positions":
            if array.ndim == 1:
                raise SettingError(
                    f"source {self.source!r} has {len(array)} units and no places: choose "
                    "window='unit'"
                )
            return np.ascontiguousarray(array)
        if self.view == "channel" and array.ndim > 1:
            return np.ascontiguousarray(array.reshape(len(array), -1).T)
        return np.ascontiguousarray(array[None])


def select_units(
    network: Network, node: str, wanted: Sequence[Unit], inputs: Inputs
) -> tuple[Network, str]:
    """A network that gives single units of a node, and the name of the node that has them.

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
    name = network.sha256  # of all its weights, also those behind the node
    traced = network.graph_with(node)
    part = traced.upto(traced.node(node))
    graph = copy.deepcopy(part.graph)
    end = next(n for n in graph.nodes if n.op == "output")
    with graph.inserting_before(end):
        read = graph.call_function(_read, (end.args[0], tuple(wanted)))
    end.args = (read,)
    derived = copy.copy(network)
    derived.__dict__.pop("graph", None)
    derived.module = fx.GraphModule(part, graph).eval()
    derived._parts = {}
    derived.__dict__["sha256"] = name
    return derived, read.name


def _read(values: torch.Tensor, wanted: Sequence[Unit]) -> torch.Tensor:
    """(n, unit) of (n, channel, *spatial)."""
    each = []
    for channel, place in wanted:
        channel_values = values[:, channel].flatten(1)
        index = None if place is None else np.ravel_multi_index(place, values.shape[2:])
        each.append(channel_values.mean(1) if index is None else channel_values[:, int(index)])
    return torch.stack(each, dim=1)


def _after(
    network: Graph, source: str, inputs: torch.Tensor, view: WindowKind, values: torch.Tensor
) -> fx.GraphModule:
    """The operations that depend on a node; all others keep their values on `inputs`."""
    start = network.node(source)
    later = network.dependent(start)[1:]
    if not any(node in (start, *later) for node in network.outputs):
        raise TargetError(f"source {source!r}: the network's output does not depend on it")
    recorder = Recorder(network.module)
    recorder.run(inputs)
    root: dict[str, Any] = {}
    graph = fx.Graph()
    given = graph.placeholder("source")
    copies: dict[fx.Node, Any] = {start: _as_node(graph, given, view, values)}
    for node in later:
        for each in node.all_input_nodes:
            if each not in copies:
                copies[each] = _held(graph, root, each, recorder.values[each], given)
        if node.op == "output":
            graph.output(copies[network.outputs[0]])
            break
        copies[node] = graph.node_copy(node, lambda n: copies[n])
        if node.op == "call_module":
            root[str(node.target)] = network.module.get_submodule(str(node.target))
    return fx.GraphModule(root, graph).eval()


def _as_node(graph: fx.Graph, given: fx.Node, view: WindowKind, values: torch.Tensor) -> fx.Node:
    """What a view shows, as the node's own values again."""
    if view == "positions":
        return given
    if view == "unit" or values.ndim == 2:
        return graph.call_method("squeeze", (given, 1))
    channels_first = graph.call_method("transpose", (given, 1, 2))
    return graph.call_method("unflatten", (channels_first, 2, tuple(values.shape[2:])))


def _held(graph: fx.Graph, root: dict[str, Any], node: fx.Node, value: Any, given: fx.Node) -> Any:
    """A value that does not depend on the source, for as many inputs as there are."""
    if not isinstance(value, torch.Tensor):
        return value
    name = f"held_{len(root)}"
    root[name] = value
    held = graph.get_attr(name)
    if node.op == "get_attr":
        return held
    return graph.call_function(_repeated, (held, given))


def _repeated(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return value.expand(len(like), *value.shape[1:])


def _check(unit: Unit, shape: Sequence[int], node: str) -> None:
    channel, place = unit
    ends = shape[1:]
    fits = place is None or (
        len(place) == len(ends) and all(p < n for p, n in zip(place, ends, strict=True))
    )
    if channel >= shape[0] or not fits:
        raise TargetError(
            f"target {unit_name(unit)!r}: node {node!r} has {shape[0]} channels"
            + (f" of {'×'.join(map(str, ends))} units" if ends else ", and no places")
        )
