"""The arithmetic that boxes save."""

import math
from collections.abc import Mapping

import torch

from preddiff.engines.incremental.execute.boxes import Placement
from preddiff.engines.incremental.execute.convolution import Convolution
from preddiff.engines.incremental.execute.steps import Step
from preddiff.engines.incremental.execute.whole import Value


def multiply_adds(step: Step, placements: Mapping[int, Placement]) -> tuple[float, float]:
    """Return a step's multiply-adds for one draw: on whole outputs, and on boxes.

    Only what has weights is counted. Of a convolution on boxes, every changed input meets all
    weights once (a share of 1 / stride along each axis): zeros around the box cost nothing.
    """
    operation = step.operation
    if isinstance(operation, Convolution):
        each = operation.weight.numel()
        stride = math.prod(side.stride for side in operation.sliding)
        inputs = math.prod(placements[id(step.inputs[0])].lengths)
        return each * math.prod(operation.base.shape[2:]), each * inputs / stride
    weights = sum(p.numel() for p in step.parameters if p.ndim > 1)
    outputs = first_leaf(step.base)
    count = math.prod(outputs.shape[1:-1]) if isinstance(outputs, torch.Tensor) else 0
    return weights * count, weights * count


def first_leaf(value: Value) -> Value:
    """Return a value itself, or the first one of nested lists and tuples."""
    while isinstance(value, list | tuple):
        value = value[0]
    return value
