"""The head of a network: where its logits are, and what makes probabilities of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from preddiff.models.networks.graph import Graph
from preddiff.models.request import Output

Run = Callable[[nn.Module], torch.Tensor]
"""Returns a module's values (1, K) on one input."""

_AGREEMENT = 1e-3  # of probabilities that are computed in two ways

# The weight of evidence is a difference of log-odds, log2(p / (1 - p)). From float32 probabilities
# it cannot be computed where a network is sure: the largest float32 below 1 is 1 - 6e-8, so odds
# above 2^24 are infinite, and those below are rounded to a few values. Logits have no such limit.
# So a network that ends in a softmax or sigmoid is cut off before it, and the probabilities are
# computed from its logits in float64. Gradients are taken there, too: after a saturated softmax
# they vanish.


@dataclass(frozen=True)
class Head:
    """A network without its softmax or sigmoid, and which of them turns its logits into classes.

    Attributes
    ----------
    trunk : gives logits (n, K); or probabilities, where `link` is None.
    link : what makes probabilities of logits.
    output : what the complete module returns.
    """

    trunk: nn.Module
    link: Literal["softmax", "sigmoid"] | None
    output: Output

    def probabilities(self, values: torch.Tensor) -> torch.Tensor:
        """Return class probabilities (n, K) in float64; a single one p stands for (1 - p, p)."""
        values = values.double()
        if self.link is not None:
            values = values.softmax(1) if self.link == "softmax" else values.sigmoid()
        return torch.cat([1 - values, values], dim=1) if values.shape[1] == 1 else values


def find(module: nn.Module, graph: Graph | None, output: Output, run: Run) -> Head:
    """Return the head of a module, as `load_model` describes for each `output`.

    Parameters
    ----------
    graph : the traced module, or None.
    run : runs a module on one input, to see what is not known otherwise.
    """
    values = run(module)
    if graph is not None and output != "logits":
        head = _cut(graph)
        # A trace holds the operations of one run. Where a network's own code decides which to run
        # (by a flag, by a count of calls), it may be wrong: it is trusted where it gives the same.
        if head is not None and _agree(head, run(head.trunk), values):
            return head
    # No softmax is seen: the graph may be missing, or the last operation divides by a sum. Numbers
    # that are at least 0 and add up to 1 are taken as probabilities; logits do so by chance only.
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
    # Of one sigmoid unit the module gives p alone, the head (1 - p, p): compare the last columns.
    return torch.allclose(ours[:, -theirs.shape[1] :], theirs, atol=_AGREEMENT)


def is_distribution(values: torch.Tensor) -> bool:
    """Return whether these are rows (n, K) that are at least 0 and add up to 1."""
    if values.ndim != 2:
        return False
    total = values.double().sum(1)
    ones = torch.ones_like(total)
    return bool((values >= 0).all()) and torch.allclose(total, ones, atol=_AGREEMENT)
