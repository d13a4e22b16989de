"""A traced network as a program: steps in running order."""

from dataclasses import dataclass, field

import torch
from torch import fx

from preddiff.engines.incremental.execute.operation import Native, Operation
from preddiff.engines.incremental.execute.whole import Value, WholeOutput


class NetworkInput:
    """The step of the network's input, where the windows are."""

    def __init__(self, base: torch.Tensor, axes: tuple[int, ...]) -> None:
        self.base = base
        self.axes = axes


class FromShapes:
    """A step that follows from shapes alone, not from values: sizes, and what is made of them."""

    axes: tuple[int, ...] = ()

    def __init__(self, base: Value, native: Native) -> None:
        self.base = base
        self.native = native


StepOperation = Operation | WholeOutput | NetworkInput | FromShapes


@dataclass(eq=False)
class Step:
    """A node that depends on the input.

    Attributes
    ----------
    name : of the node in the graph.
    operation : what it does to boxes.
    inputs : the steps before it whose results it takes.
    multiply_adds : of one whole output.
    users : how many steps take its result.
    """

    name: str
    operation: StepOperation
    inputs: list["Step"]
    multiply_adds: int = 0
    users: int = 0

    @property
    def base(self) -> Value:
        """The step's output on the unperturbed input."""
        return self.operation.base

    @property
    def tensor(self) -> torch.Tensor:
        """The same, of a step that gives a tensor; a TypeError of any other."""
        base = self.operation.base
        if not isinstance(base, torch.Tensor):
            raise TypeError(f"{self.name} gives a {type(base).__name__}: expected a tensor")
        return base

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of the output that are spatial."""
        return self.operation.axes


@dataclass
class Program:
    """The steps that lead to the wanted node, in running order; the first one is the input.

    Attributes
    ----------
    module : the graph itself, simplified.
    body : steps on boxes.
    tail : steps after the first node of features (1, ...) that everything goes through. They have
        no boxes, only rows, and are run on the rows of many batches at once. Each pass through a
        fully connected layer reads all its weights (VGG-16: 400 MB for the first one), and with
        few rows that is all it waits for; so it is better done once for 256 rows than for every
        batch of 20 or 40.
    """

    module: fx.GraphModule
    body: list[Step]
    tail: list[Step] = field(default_factory=list)

    @property
    def whole(self) -> list[str]:
        """Names of the steps of the body that need whole outputs of nodes with spatial axes."""
        return [
            step.name
            for step in self.body
            if isinstance(step.operation, WholeOutput) and any(each.axes for each in step.inputs)
        ]


def needed(steps: list[Step], wanted: Step) -> list[Step]:
    """Return the steps that lead to the wanted one, which comes last, and count their users."""
    keep = {id(wanted), id(steps[0])}
    for step in steps:
        step.users = 0
    for step in reversed(steps):
        if id(step) in keep:
            for each in step.inputs:
                keep.add(id(each))
                each.users += 1
    return [step for step in steps if id(step) in keep]
