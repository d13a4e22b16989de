"""The operations of a network as a torch.fx graph, their names and shapes."""

from collections.abc import Mapping

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

from preddiff.errors import TargetError, nearest

_SOFTMAX = ("softmax", "Softmax", "OnnxSoftmaxV1V11")
_SIGMOID = ("sigmoid", "Sigmoid")


class Graph:
    """A traced network. Nodes go by the name of their module, else by their operation's.

    Raises
    ------
    Exception
        Whatever torch.fx raises where a network cannot be traced.
    """

    def __init__(self, network: nn.Module) -> None:
        traced = network if isinstance(network, fx.GraphModule) else fx.symbolic_trace(network)
        self.module = traced
        self.nodes = _named(traced.graph)

    @property
    def outputs(self) -> list[fx.Node]:
        """The nodes whose values the network returns."""
        return list(next(n for n in self.module.graph.nodes if n.op == "output").all_input_nodes)

    def node(self, name: str) -> fx.Node:
        """The node of that name, or a TargetError with the nearest names."""
        if name not in self.nodes:
            raise TargetError(
                f"no node {name!r}; `preddiff model` lists them{nearest(name, self.nodes)}"
            )
        return self.nodes[name]

    def operation(self, node: fx.Node) -> str:
        """What a node does: a module's class or a function's name."""
        if node.op == "call_module":
            return type(self.module.get_submodule(str(node.target))).__name__
        return getattr(node.target, "__name__", str(node.target))

    def is_softmax(self, node: fx.Node) -> bool:
        """Whether a node's values are class probabilities by a softmax."""
        return self.operation(node) in _SOFTMAX

    def is_sigmoid(self, node: fx.Node) -> bool:
        """Whether a node's values are probabilities by a sigmoid."""
        return self.operation(node) in _SIGMOID

    def dependent(self, node: fx.Node) -> list[fx.Node]:
        """What depends on a node, in running order, the node itself first."""
        found = [node]
        seen = {node}
        for other in list(self.module.graph.nodes):
            if any(each in seen for each in other.all_input_nodes):
                found.append(other)
                seen.add(other)
        return found

    def weights_follow(self, node: fx.Node) -> bool:
        """Whether something with weights depends on a node."""
        for other in self.dependent(node)[1:]:
            if any(each.op == "get_attr" for each in other.all_input_nodes):
                return True
            if other.op == "call_module":
                module = self.module.get_submodule(str(other.target))
                if next(module.parameters(), None) is not None:
                    return True
        return False

    def upto(self, node: fx.Node, user: fx.Node | None = None) -> fx.GraphModule:
        """The part of the network that leads to a node, with that node as its output.

        Operations that work in place are kept even where nobody uses what they return: those
        before the node, or before a `user` of it where its value is to be what that one sees.
        """
        every = list(self.module.graph.nodes)
        before = every[: every.index(node) + 1 if user is None else every.index(user)]
        needed = {node, *(n for n in before if n.op == "placeholder" or self._in_place(n))}
        for later in reversed(before):
            if later in needed:
                needed.update(later.all_input_nodes)
        graph = fx.Graph()
        copies: dict[fx.Node, fx.Node] = {}
        for original in before:
            if original in needed:
                copies[original] = graph.node_copy(original, lambda n: copies[n])
        graph.output(copies[node])
        part = fx.GraphModule(self.module, graph)
        part.delete_all_unused_submodules()
        return part.eval()

    def _in_place(self, node: fx.Node) -> bool:
        """Whether an operation changes its own input."""
        if node.op == "call_module":
            return bool(getattr(self.module.get_submodule(str(node.target)), "inplace", False))
        name = self.operation(node)
        return bool(node.kwargs.get("inplace")) or (name.endswith("_") and not name.startswith("_"))

    def shapes(self, inputs: torch.Tensor) -> Mapping[str, tuple[int, ...]]:
        """Shape of every node's output but the first axis, for inputs (1, ...)."""
        with torch.inference_mode():
            ShapeProp(self.module).propagate(inputs)
        found = {}
        for name, node in self.nodes.items():
            meta = node.meta.get("tensor_meta")
            if isinstance(meta, TensorMetadata) and len(meta.shape) > 1:
                found[name] = tuple(meta.shape[1:])
        return found


def exported(network: nn.Module, inputs: torch.Tensor) -> fx.GraphModule:
    """The operations of a network as torch.export sees them: slower to get, but it sees more.

    Parameters
    ----------
    inputs : (n, ...); any other n can be run.
    """
    two = inputs[:1].expand(2, *inputs.shape[1:]).contiguous()  # one would be taken as a constant
    any_batch = ({0: torch.export.Dim.AUTO},)
    program = torch.export.export(network, (two,), dynamic_shapes=any_batch)
    module = program.module()
    for node in list(module.graph.nodes):
        if "_guards" in str(node.target):  # that the batch is not one; it does not matter here
            module.graph.erase_node(node)
    module.recompile()
    return module


def _named(graph: fx.Graph) -> dict[str, fx.Node]:
    """Nodes that compute something, by name; a module that is called again gets a number."""
    named: dict[str, fx.Node] = {}
    for node in graph.nodes:
        if node.op in {"call_module", "call_function", "call_method"}:
            name = base = str(node.target) if node.op == "call_module" else node.name
            number = 1
            while name in named:
                number += 1
                name = f"{base}#{number}"
            named[name] = node
    return named
