"""The head of a network: where its logits are, and what makes probabilities of them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import nn

from preddiff.errors import ModelError
from preddiff.method.evidence import NEARLY_ONE, complements
from preddiff.models.networks import ending
from preddiff.models.networks.ending import Link
from preddiff.models.networks.graph import Graph
from preddiff.models.request import Output

Run = Callable[[nn.Module], torch.Tensor]
"""Returns a module's values (1, K) on one input."""

Others = Callable[[nn.Module], Iterable[torch.Tensor]]
"""Returns a module's values (1, K) on each of several inputs."""

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
    columns : the classes of a softmax that the module returns; None is all.
    low, high : what the module clamps probabilities to.
    """

    trunk: nn.Module
    link: Link | None
    output: Output
    columns: tuple[int, ...] | None = None
    low: float = 0.0
    high: float = 1.0

    def probabilities(self, values: torch.Tensor) -> torch.Tensor:
        """Return class probabilities (n, K) in float64; a single one p stands for (1 - p, p).

        Plain values are returned as they are.
        """
        logits = values = values.double()
        if self.output == "values":
            return values
        if self.link is not None:
            values = values.softmax(1) if self.link == "softmax" else values.sigmoid()
        if self.columns is not None:
            values = values[:, list(self.columns)]
        if self.low > 0 or self.high < 1:
            values = values.clamp(self.low, self.high)
        if values.shape[1] > 1:
            return values
        rest = 1 - values
        if self.link == "sigmoid":  # 1 - p is a softmax's p for the other class: all its digits
            rest = torch.where(values > NEARLY_ONE, self._rest(logits), rest)
        return torch.cat([rest, values], dim=1)

    def complements(self, values: torch.Tensor) -> torch.Tensor:
        """Return 1 - p of class probabilities (n, K), with all digits, from logits."""
        rest = self._rest(values)
        if rest.shape[1] > 1:
            return rest
        return torch.cat([self.probabilities(values)[:, 1:], rest], dim=1)

    def _rest(self, values: torch.Tensor) -> torch.Tensor:
        """Return 1 - p of what the module returns, (n, K)."""
        values = values.double()
        if self.link == "sigmoid":
            rest = (-values).sigmoid()
        else:
            p = values.softmax(1)
            rest = torch.from_numpy(complements(p.cpu().numpy())).to(p)
        if self.columns is not None:
            rest = rest[:, list(self.columns)]
        if self.low > 0 or self.high < 1:
            rest = rest.clamp(1 - self.high, 1 - self.low)
        return rest


def find(
    module: nn.Module, graph: Graph | None, output: Output, run: Run, others: Others, spec: str
) -> Head:
    """Return the head of a module, as `load_model` describes for each `output`.

    Parameters
    ----------
    graph : the traced module, or None.
    run : runs a module on one input, to see what is not known otherwise.
    others : runs a module on inputs unlike that one.
    spec : the model's, for messages.

    Raises
    ------
    ModelError
        If nothing says what the module returns.
    """
    values = run(module)
    if output == "values":
        return Head(module, None, output)
    # A trace holds the operations of one run. Where a network's own code decides which to run (by a
    # flag, by a count of calls), it may be wrong: it is trusted where it gives the same.
    if graph is not None and output != "logits":
        head = _cut(graph, run, values)
        if head is not None:
            return head
    if output == "auto":
        output = _kind(module, graph, values, others, spec)
    if output == "probabilities":
        return Head(module, None, output)
    is_alone = output == "multilabel" or values.shape[1] == 1
    return Head(module, "sigmoid" if is_alone else "softmax", output)


def _kind(
    module: nn.Module, graph: Graph | None, values: torch.Tensor, others: Others, spec: str
) -> Output:
    """Return what a module returns whose softmax or sigmoid is not seen."""
    # The graph may be missing, or the last operation divides by a sum. Numbers that are at least 0
    # and add up to 1 are taken as probabilities; logits do so by chance only.
    if values.shape[1] > 1 and is_distribution(values):
        return "probabilities"
    if graph is not None and ending.gives_probabilities(graph):
        return "probabilities"
    if not _within_unit(values) or (graph is not None and ending.gives_logits(graph)):
        return "logits"
    # One logit lies in [0, 1] by chance every third time; those of several inputs hardly do.
    if not all(_within_unit(each) for each in others(module)):
        return "logits"
    shown = ", ".join(f"{value:.3g}" for value in values[0, :3].tolist())
    raise ModelError(
        f"{spec}: all its values lie in [0, 1] (here {shown}), and nothing shows whether they are "
        "logits or probabilities: say which, load_model(model, output='probabilities') or "
        "output='logits' (\"output\" in the settings of --preprocess)"
    )


def _cut(graph: Graph, run: Run, values: torch.Tensor) -> Head | None:
    """The network before the softmax or sigmoid that it ends in, if it does."""
    end = ending.read(graph)
    if end is None:
        return None
    try:
        for trunk in (end.trunk, ending.flattened(end.trunk)):
            with suppress(ModelError):
                logits = run(trunk)
                break
        else:
            return None
        columns = None if end.numbered is None else _columns(run(end.numbered))
    except (ModelError, ValueError):
        return None
    clamped = end.low > 0 or end.high < 1
    if columns is not None and len(columns) == 1 and logits.shape[1] == 2 and not clamped:
        columns = (1 - columns[0], columns[0])  # p of one of two classes stands for both
    every = columns is None or columns == tuple(range(logits.shape[1]))
    head = Head(trunk, end.link, "probabilities", None if every else columns, end.low, end.high)
    return head if _agree(head, logits, values.double().exp() if end.is_log else values) else None


def _columns(numbers: torch.Tensor) -> tuple[int, ...]:
    """Return which numbers stand in each row, or raise a ValueError if there is no saying."""
    first = [int(number) for number in numbers[0]]
    if not torch.equal(numbers, torch.tensor(first).to(numbers).expand_as(numbers)):
        raise ValueError("not the same numbers in each row")
    return tuple(first)


def _agree(head: Head, logits: torch.Tensor, values: torch.Tensor) -> bool:
    ours, theirs = head.probabilities(logits), values.double()
    # Of one sigmoid unit the module gives p alone, the head (1 - p, p): compare the last columns.
    ours = ours[:, -theirs.shape[1] :]
    return ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=_tolerance(values))


def _within_unit(values: torch.Tensor) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _tolerance(values: torch.Tensor) -> float:
    """Return by how much probabilities may be off that were rounded to these values' precision."""
    return max(_AGREEMENT, 4 * torch.finfo(values.dtype).eps) if values.is_floating_point() else 0


def is_distribution(values: torch.Tensor) -> bool:
    """Return whether these are rows (n, K) that are at least 0 and add up to 1."""
    if values.ndim != 2:
        return False
    total = values.double().sum(1)
    ones = torch.ones_like(total)
    return bool((values >= 0).all()) and torch.allclose(total, ones, atol=_tolerance(values))


def unlike(inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield inputs that are unlike one: logits of some of them leave [0, 1], probabilities never.

    Parameters
    ----------
    inputs : (1, channel, *spatial).
    """
    noise = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(0)).to(inputs)
    yield torch.zeros_like(inputs)
    yield inputs.flip(tuple(range(2, inputs.ndim)))
    for factor in (-1.0, 3.0, -10.0, 30.0):
        yield factor * inputs
        yield inputs + factor * noise
