"""Operations that work in place, and who else sees the memory that they change.

A graph has an edge from a value to whoever takes it, but none from an operation that changes memory
to those who see the change through another value: of `y = x[:, :4]; y.zero_(); use(x)`, x is used
as if nothing had happened. Names do not tell such operations apart (`silu_`, `copy_`, a module's
`inplace`, anything of another package): torch counts the changes of every tensor, and all tensors
over the same memory share one count, so a run of the graph shows who changes what.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import fx

from preddiff.errors import PreddiffError


class SharedMemoryError(PreddiffError):
    """A value is changed in place that others see through memory of their own name."""


@dataclass(frozen=True)
class Change:
    """An operation that changes its first argument.

    Attributes
    ----------
    node : the operation.
    same : earlier nodes whose value is the argument itself under another name, as dropout's is in
        evaluation.
    """

    node: fx.Node
    same: list[fx.Node]


def changes(module: fx.GraphModule, inputs: torch.Tensor) -> list[Change]:
    """Return what works in place in a graph, in running order.

    Raises
    ------
    SharedMemoryError
        If what is changed is seen through another value later, or is a weight.
    """
    try:
        return _watched(module, inputs.clone())
    except RuntimeError:  # torch.export has seen views of values in the usual order of memory
        return _watched(module, inputs.clone(memory_format=torch.contiguous_format))


def _watched(module: fx.GraphModule, inputs: torch.Tensor) -> list[Change]:
    with torch.inference_mode(mode=False), torch.no_grad():
        watch = _Watch(module)
        watch.run(inputs)
    return watch.found


class _Watch(fx.Interpreter):
    """A run that notices whose count of changes goes up."""

    def __init__(self, module: fx.GraphModule) -> None:
        # Whoever shares memory with a value must be seen to the end: nothing is let go of.
        super().__init__(module, garbage_collect_values=False)
        self.found: list[Change] = []
        self._order = {node: number for number, node in enumerate(module.graph.nodes)}
        self._weights: set[int] = set()  # their memory

    def run_node(self, n: fx.Node) -> object:
        """Run a node, and note which of its arguments it changed."""
        before = {each: _counts(self.env[each]) for each in n.all_input_nodes}
        result = super().run_node(n)
        if n.op == "get_attr":
            self._weights.update(map(_memory, _tensors(result)))
        changed = [each for each in before if _counts(self.env[each]) != before[each]]
        if changed:
            self.found.append(self._change(n, changed))
        return result

    def _change(self, node: fx.Node, changed: list[fx.Node]) -> Change:
        # Of arguments that share memory all are counted: the first is what an operation changes.
        argument = changed[0]
        value = self.env[argument]
        first = node.args[0] if node.args else None
        if argument is not first or not isinstance(value, torch.Tensor):
            raise SharedMemoryError(f"{node.name} changes one of its arguments in place")
        if value.numel() and _memory(value) in self._weights:
            raise SharedMemoryError(f"{node.name} changes weights of the network")
        same = []
        for other, seen in self.env.items():
            if other is argument or not self._is_used_after(other, node):
                continue
            if isinstance(seen, torch.Tensor) and _is_same(seen, value):
                same.append(other)
            elif any(_overlap(each, value) for each in _tensors(seen)):
                raise SharedMemoryError(
                    f"{node.name} changes in place what {other.name} shows of the same memory"
                )
        return Change(node, same)

    def _is_used_after(self, other: fx.Node, node: fx.Node) -> bool:
        return any(self._order[user] > self._order[node] for user in other.users)


def _tensors(value: object) -> Iterator[torch.Tensor]:
    """Yield the tensors that a node gives."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def _counts(value: object) -> list[int]:
    # Tensors of inference mode have no count. They are constants that were recorded (`Downstream`).
    return [0 if each.is_inference() else each._version for each in _tensors(value)]


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _is_same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Return whether two tensors are the same values at the same addresses."""
    return (
        a.data_ptr() == b.data_ptr()
        and a.shape == b.shape
        and a.stride() == b.stride()
        and a.dtype == b.dtype
    )


def _overlap(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Return whether two tensors share an address: halves of one tensor do not."""
    if a.numel() == 0 or b.numel() == 0 or _memory(a) != _memory(b):
        return False
    if a.dtype != b.dtype:
        return True
    storage = a.untyped_storage()
    used = torch.zeros(storage.nbytes() // a.element_size(), dtype=torch.bool)
    used.as_strided(a.shape, a.stride(), a.storage_offset()).fill_(True)
    return bool(used.as_strided(b.shape, b.stride(), b.storage_offset()).any())
