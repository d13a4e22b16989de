"""The part of a network after a hidden node (section 3.3 of the paper)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import fx, nn

from preddiff.errors import SettingError, TargetError, nearest
from preddiff.models.base import WindowKind
from preddiff.models.networks.graph import Graph
from preddiff.models.networks.network import Network
from preddiff.models.networks.recorder import Recorder
from preddiff.types import Pixels


class Downstream(Network):
    """The part of a network after a hidden node, a function of its values (equation 5's h to z).

    Everything that does not depend on the node keeps the values that it has on `inputs`.

    Parameters
    ----------
    origin : the complete network.
    source : the hidden node.
    inputs : (channel, *spatial), the input as the origin sees it.
    kind : what a window hides; it says how `values` are laid out.

    Attributes
    ----------
    values : the node's values on `inputs`: (channel, *spatial) where windows hide positions,
        (position, channel) where they hide channels, (1, channel, *spatial) for units.
    axes : names of the axes that windows move along.

    Raises
    ------
    TargetError
        If there is no such node, or the output does not depend on it.
    """

    # An explanation hides windows in an array (channel, *spatial) and moves them along the spatial
    # axes; all channels are hidden together. The three kinds of window are this one idea on three
    # layouts of the node's values: as they are; with the positions as "channels" and the channels
    # as the one axis, so that a window of length 1 is a channel at all positions; and with one
    # "channel" and all axes, so that a window of length 1 is a unit. The part of the network below
    # begins with the way back from the layout (`_as_node`).

    def __init__(self, origin: Network, source: str, inputs: Pixels, kind: WindowKind) -> None:
        graph = origin.graph_with(source)
        self.origin = origin
        self.source = source
        self.kind = kind
        with torch.inference_mode():
            batch = torch.from_numpy(inputs)[None]
            values = origin.raw(batch, source)
            origin.raw(batch)  # finds the head, so that what the output is becomes known
            part = _after(graph, source, origin.normalised(batch), kind, values)
        super().__init__(
            part,
            output=origin.requested_output,
            spec=origin.spec,
            labels=origin.labels,
            train_size=origin.train_size,
        )
        self.__dict__["sha256"] = origin.sha256  # of all weights, also those before the node
        self.values = self._laid_out(values)
        spatial = ("z", "y", "x")[3 - (values.ndim - 2) :] if values.ndim > 2 else ()
        self.axes = spatial if kind == "positions" else ("channel", *(spatial * (kind == "unit")))

    @property
    def preparation(self) -> str:
        """The way pictures become inputs of the whole network."""
        return self.origin.preparation

    def prepare(self, image: Image.Image | Pixels | str | Path) -> Pixels:
        """Return the source's values, laid out for the windows, on a picture or an input."""
        inputs = torch.from_numpy(self.origin.prepare(image))[None]
        with torch.inference_mode():
            return self._laid_out(self.origin.raw(inputs, self.source))

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the whole network sees."""
        return self.origin.box(width, height)

    def check_leads_to(self, node: str) -> None:
        """Raise a TargetError unless a node depends on the source."""
        later = self.graph_with(node).nodes
        self.origin.graph_with(node).node(node)
        if node not in later:
            raise TargetError(
                f"source {self.source!r} does not lead to node {node!r}: expected a node after it"
                f"{nearest(node, later)}"
            )

    def _laid_out(self, values: torch.Tensor) -> Pixels:
        array = values[0].float().cpu().numpy()
        if self.kind == "positions":
            if array.ndim == 1:
                raise SettingError(
                    f"source {self.source!r} has {len(array)} units and no positions: choose "
                    "window='unit'"
                )
            return np.ascontiguousarray(array)
        if self.kind == "channel" and array.ndim > 1:
            return np.ascontiguousarray(array.reshape(len(array), -1).T)
        return np.ascontiguousarray(array[None])


def _after(
    network: Graph, source: str, inputs: torch.Tensor, kind: WindowKind, values: torch.Tensor
) -> fx.GraphModule:
    """The operations that depend on a node; all others keep their values on `inputs`."""
    start = network.node(source)
    later = network.dependent(start)[1:]
    if not any(node in (start, *later) for node in network.outputs):
        raise TargetError(f"source {source!r}: the network's output does not depend on it")
    # Operations after the node may also see values that do not depend on it (the other branch of a
    # residual connection). Equation 5 conditions on them: they are recorded in one run of the
    # complete network and become constants of the part.
    recorder = Recorder(network.module)
    recorder.run(inputs)
    root: dict[str, nn.Module | torch.Tensor] = {}
    graph = fx.Graph()
    given = graph.placeholder("source")
    own = _as_node(graph, given, kind, values)
    copies: dict[fx.Node, fx.Node | object] = dict.fromkeys(
        (start, *network.changed_by(start)), own
    )
    for node in later:
        for each in node.all_input_nodes:
            if each not in copies:
                copies[each] = _constant(graph, root, each, recorder.values[each], given)
        if node.op == "output":
            graph.output(_node(copies, network.outputs[0]))
            break
        copies[node] = graph.node_copy(node, lambda n: _node(copies, n))
        if node.op == "call_module":
            root[str(node.target)] = network.module.get_submodule(str(node.target))
    return fx.GraphModule(dict(root), graph).eval()


def _node(copies: Mapping[fx.Node, fx.Node | object], original: fx.Node) -> fx.Node:
    return copies[original]  # type: ignore[return-value]  # fx also takes a number as an argument


def _as_node(graph: fx.Graph, given: fx.Node, kind: WindowKind, values: torch.Tensor) -> fx.Node:
    """The node's own values again, from a layout."""
    if kind == "positions":
        return given
    if kind == "unit" or values.ndim == 2:
        return graph.call_method("squeeze", (given, 1))
    channels_first = graph.call_method("transpose", (given, 1, 2))
    return graph.call_method("unflatten", (channels_first, 2, tuple(values.shape[2:])))


def _constant(
    graph: fx.Graph,
    root: dict[str, nn.Module | torch.Tensor],
    node: fx.Node,
    value: object,
    given: fx.Node,
) -> object:
    """A value that does not depend on the source, for as many inputs as there are."""
    if not isinstance(value, torch.Tensor):
        return value
    name = f"held_{len(root)}"
    root[name] = value
    constant = graph.get_attr(name)
    if node.op == "get_attr":  # a weight, which has no axis of inputs
        return constant
    return graph.call_function(_repeated, (constant, given))


def _repeated(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    # A copy: what follows may change it in place, and the next draws need it as it was.
    return value.expand(len(like), *value.shape[1:]).clone()
