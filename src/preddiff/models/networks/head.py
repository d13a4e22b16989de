"""The end of a network: where its logits are, and what makes probabilities of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from preddiff.models.networks.graph import Graph

Output = Literal["auto", "logits", "probabilities"]
Run = Callable[[nn.Module], torch.Tensor]
"""Values of a module on one input."""


@dataclass(frozen=True)
class Head:
    """A network without its softmax or sigmoid, and what to put in their place.

    That is computed in float64: in float32, 1 - p has no digits left where p is near 1.

    Attributes
    ----------
    trunk : gives logits; or probabilities, where `link` is None.
    link : what makes probabilities of logits.
    output : what the whole module returns.
    """

    trunk: nn.Module
    link: Literal["softmax", "sigmoid"] | None
    output: Output

    def probabilities(self, values: torch.Tensor) -> torch.Tensor:
        """Class probabilities (n, K) in float64; a single one p stands for (1 - p, p)."""
        values = values.double()
        if self.link is not None:
            values = values.softmax(1) if self.link == "softmax" else values.sigmoid()
        return torch.cat([1 - values, values], dim=1) if values.shape[1] == 1 else values


def find(module: nn.Module, graph: Graph | None, output: Output, run: Run) -> Head:
    """The head of a module, as `load_model` describes for each `output`.

    Parameters
    ----------
    graph : the traced module, or None.
    run : a module's values (1, K) on one input, to see what is not known otherwise.
    """
    values = run(module)
    if graph is not None and output != "logits":
        head = _cut(graph)
        # A trace may miss what a network's own code decides: trust it where it says the same.
        if head is not None and _agree(head, run(head.trunk), values):
            return head
    if output == "auto":
        output = "probabilities" if is_distribution(values) else "logits"
    if output == "probabilities":
        return Head(module, None, output)
    return Head(module, "sigmoid" if values.shape[1] == 1 else "softmax", output)


def _cut(graph: Graph) -> Head | None:
    """The network before the softmax or sigmoid that it ends in, if it does."""
    last = graph.outputs[0]
    if not (graph.is_softmax(last) or graph.is_sigmoid(last)):
        return None
    trunk = graph.upto(last.all_input_nodes[0], user=last)
    return Head(trunk, "softmax" if graph.is_softmax(last) else "sigmoid", "probabilities")


def _agree(head: Head, logits: torch.Tensor, values: torch.Tensor) -> bool:
    if logits.shape != values.shape:
        return False
    ours, theirs = head.probabilities(logits), values.double()
    return torch.allclose(ours[:, -theirs.shape[1] :], theirs, atol=1e-3)


def is_distribution(values: torch.Tensor) -> bool:
    """Whether these are rows (n, K) that are at least 0 and add up to 1."""
    if values.ndim != 2:
        return False
    total = values.double().sum(1)
    return bool((values >= 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-3)
