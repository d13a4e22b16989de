"""A traced network: steps in running order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

from preddiff.engines.incremental.execute.operations import Whole


@dataclass(eq=False)
class Step:
    """A node that depends on the input.

    Attributes
    ----------
    name : of the node in the graph.
    operation : what it does to boxes.
    inputs : the steps before it whose results it takes.
    parameters : of its module.
    users : how many steps take its result.
    """

    name: str
    operation: Any
    inputs: list["Step"]
    parameters: list[torch.Tensor] = field(default_factory=list)
    users: int = 0

    @property
    def base(self) -> Any:
        """Its output on the unperturbed input."""
        return self.operation.base

    @property
    def axes(self) -> tuple[int, ...]:
        """Which axes of its output are spatial."""
        return tuple(self.operation.axes)


class Source:
    """The network's input, where the windows are."""

    def __init__(self, base: torch.Tensor, axes: tuple[int, ...]) -> None:
        self.base = base
        self.axes = axes


class Number:
    """What follows from shapes alone, not from values: sizes, and what is computed of them."""

    axes = ()

    def __init__(self, base: Any, native: Callable[..., Any]) -> None:
        self.base = base
        self.native = native


@dataclass
class Program:
    """What leads to the wanted node, in running order; the first step is the input.

    Attributes
    ----------
    module : the graph itself, simplified.
    body : steps on boxes.
    tail : steps behind the first node of features (1, ...) that everything goes through; they are
        run on the rows of many batches at once, so that large weights are read less often.
    """

    module: fx.GraphModule
    body: list[Step]
    tail: list[Step] = field(default_factory=list)

    @property
    def whole(self) -> list[str]:
        """Steps of the body that need whole outputs of nodes that have spatial axes."""
        return [
            step.name
            for step in self.body
            if isinstance(step.operation, Whole) and any(each.axes for each in step.inputs)
        ]


def needed(steps: list[Step], wanted: Step) -> list[Step]:
    """Those that lead to the wanted one, which comes last."""
    keep = {id(wanted), id(steps[0])}
    for step in steps:
        step.users = 0
    for step in reversed(steps):
        if id(step) in keep:
            for each in step.inputs:
                keep.add(id(each))
                each.users += 1
    return [step for step in steps if id(step) in keep]
