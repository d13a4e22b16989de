"""Run a traced network and keep the value of every node."""

import torch
from torch import fx


class Recorder(fx.Interpreter):
    """An interpreter that keeps each node's value as it was when the node had been run.

    Tensors are copied: a later operation may change one in place, and what the nodes before it
    gave would be lost.

    Attributes
    ----------
    values : by node; filled by `run`.
    """

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[fx.Node, object] = {}

    def run_node(self, n: fx.Node) -> object:
        """Run a node, and keep a copy of its value."""
        result = super().run_node(n)
        self.values[n] = result.clone() if isinstance(result, torch.Tensor) else result
        return result
