"""The operations of a network as a torch.fx graph, their names and shapes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

from preddiff.errors import TargetError, nearest
from preddiff.models.networks.quiet import quiet

_SOFTMAX = ("softmax", "Softmax", "OnnxSoftmaxV1V11")
_ASSIGNMENTS = ("iadd", "isub", "imul", "itruediv")  # x += y and its like
_SIGMOID = ("sigmoid", "Sigmoid")


class Graph:
    """A traced network.

    Nodes have the name of their module (`inception_3a/output`, `features.3`), else that of their
    operation (`relu`, `add_1`).

    Parameters
    ----------
    network : the network.
    prefix : of its modules' paths, which names do not have.

    Attributes
    ----------
    module : the trace, which runs as the network does.
    nodes : by name, all that compute something, in running order.

    Raises
    ------
    Exception
        Whatever torch.fx raises where a network cannot be traced.
    """

    def __init__(self, network: nn.Module, prefix: str = "") -> None:
        traced = network if isinstance(network, fx.GraphModule) else _traced(network)
        self.module = traced
        self.nodes = _named(traced.graph, prefix)

    @property
    def outputs(self) -> list[fx.Node]:
        """The nodes whose values the network returns."""
        return list(next(n for n in self.module.graph.nodes if n.op == "output").all_input_nodes)

    def node(self, name: str) -> fx.Node:
        """Return the node of a name, or raise a TargetError with the nearest names."""
        if name not in self.nodes:
            raise TargetError(
                f"no node {name!r}; `preddiff model` lists them{nearest(name, self.nodes)}"
            )
        return self.nodes[name]

    def operation(self, node: fx.Node) -> str:
        """Return the name of what a node does: a module's class or a function."""
        if node.op == "call_module":
            return type(self.module.get_submodule(str(node.target))).__name__
        name: str = getattr(node.target, "__name__", str(node.target))
        # Of torch.export's operations, the name ends in that of a signature: softmax.int.
        return name.partition(".")[0] if isinstance(node.target, torch._ops.OpOverload) else name

    def is_softmax(self, node: fx.Node) -> bool:
        """Return whether a node's values are class probabilities by a softmax."""
        return self.operation(node) in _SOFTMAX

    def is_sigmoid(self, node: fx.Node) -> bool:
        """Return whether a node's values are probabilities by a sigmoid."""
        return self.operation(node) in _SIGMOID

    def dependent(self, node: fx.Node) -> list[fx.Node]:
        """Return the nodes that depend on a node, in running order, the node itself first."""
        # fx keeps nodes in running order, so each comes after all of its inputs: one pass will do.
        found = [node]
        seen = {node, *self.changed_by(node)}
        every = list(self.module.graph.nodes)
        for other in every[every.index(node) + 1 :]:
            if any(each in seen for each in other.all_input_nodes):
                found.append(other)
                seen.update((other, *self.changed_by(other)))
        return found

    def changed_by(self, node: fx.Node) -> list[fx.Node]:
        """Return the nodes whose values an operation in place replaces by its own."""
        found = []
        while self._in_place(node) and node.args and isinstance(node.args[0], fx.Node):
            node = node.args[0]
            found.append(node)
        return found

    def weights_follow(self, node: fx.Node) -> bool:
        """Return whether something with weights depends on a node."""
        for other in self.dependent(node)[1:]:
            if any(each.op == "get_attr" for each in other.all_input_nodes):
                return True
            if other.op == "call_module":
                module = self.module.get_submodule(str(other.target))
                if next(module.parameters(), None) is not None:
                    return True
        return False

    def upto(self, node: fx.Node, user: fx.Node | None = None) -> fx.GraphModule:
        """Return the part of the network that leads to a node, with that node as its output.

        Parameters
        ----------
        user : a later node that uses the value: then the value is what that node sees. Operations
            in between may change it in place.
        """
        # Going back from the node along its inputs finds all that it needs, except for operations
        # that change their input in place and whose result nobody uses (`x.relu_()` on a line of
        # its own): no edge of the graph leads from them to the node. All of them that run before
        # it are kept.
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
        """Return whether an operation changes its own input."""
        if node.op == "call_module":
            return bool(getattr(self.module.get_submodule(str(node.target)), "inplace", False))
        name = self.operation(node)
        if name in _ASSIGNMENTS:
            return True
        return bool(node.kwargs.get("inplace")) or (name.endswith("_") and not name.startswith("_"))

    def shapes(self, inputs: torch.Tensor) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of every node's output, without the first axis, for inputs (1, ...)."""
        with quiet(), torch.inference_mode():
            ShapeProp(self.module).propagate(inputs)
        found = {}
        for name, node in self.nodes.items():
            meta = node.meta.get("tensor_meta")
            if isinstance(meta, TensorMetadata) and len(meta.shape) > 1:
                found[name] = tuple(meta.shape[1:])
        return found


class _InputTracer(fx.Tracer):
    """A tracer that takes the network's input as unknown, and other arguments as left out.

    As an unknown value an optional argument would count as given: `if mask is not None` would be
    true.
    """

    def create_args_for_root(self, root_fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what is traced and its arguments: the first unknown, others their defaults."""
        traced, found = super().create_args_for_root(root_fn, *args, **kwargs)
        unknown = [each for each in found if isinstance(each, fx.Proxy)]
        return traced, [self._default(a) if a in unknown[1:] else a for a in found]

    def _default(self, argument: fx.Proxy) -> Any:
        node = argument.node
        name = str(node.target)
        if name.startswith("**"):
            default: Any = {}
        elif name.startswith("*"):
            default = ()
        elif node.args:
            default = node.args[0]
        else:
            return argument
        self.graph.erase_node(node)
        return default


def _traced(network: nn.Module) -> fx.GraphModule:
    tracer = _InputTracer()
    graph = tracer.trace(network)
    return fx.GraphModule(tracer.root, graph, type(network).__name__)


def exported(
    network: nn.Module, inputs: torch.Tensor, *, functional: bool = False
) -> fx.GraphModule:
    """Return the operations of a network as torch.export sees them: slower, but it sees more.

    Parameters
    ----------
    inputs : (n, ...); the result takes any other n.
    functional : leave nothing that works in place: what is changed through a view becomes a value
        of its own, which all who saw the change take.

    Raises
    ------
    Exception
        Whatever torch.export raises where a network cannot be traced.
    """
    # torch.export specialises on axes of length 1: with one example, n would be a constant.
    two = inputs[:1].expand(2, *inputs.shape[1:]).contiguous()
    any_batch = ({0: torch.export.Dim.AUTO},)
    # With gradients, parts of a split could not be changed in place.
    with quiet(), torch.no_grad():
        program = torch.export.export(network, (two,), dynamic_shapes=any_batch)
        module = (program.run_decompositions({}) if functional else program).module()
    for node in list(module.graph.nodes):
        if "_guards" in str(node.target):  # that the batch is not one, which may be here
            module.graph.erase_node(node)
    module.recompile()
    return module


def _named(graph: fx.Graph, prefix: str) -> dict[str, fx.Node]:
    """Nodes that compute something, by name; a module that is called again gets a number."""
    # fx's own names replace dots and slashes by underscores and number them as they come, so that
    # "inception_3a/output" would be unknown to whoever wrote the network. The target of a module's
    # call is its path in the network. A module that is shared has one path and several nodes, as a
    # ReLU often has: the second call is `act#2`.
    named: dict[str, fx.Node] = {}
    for node in graph.nodes:
        if node.op in {"call_module", "call_function", "call_method"}:
            path = str(node.target).removeprefix(prefix)
            name = base = path if node.op == "call_module" else node.name
            number = 1
            while name in named:
                number += 1
                name = f"{base}#{number}"
            named[name] = node
    return named
