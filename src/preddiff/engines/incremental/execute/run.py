"""The interpreter: a program's steps on the boxes of a batch of draws."""

from collections.abc import Iterator
from typing import cast

import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.layout import channels_last
from preddiff.engines.incremental.execute.steps import FromShapes, NetworkInput, Program, Step
from preddiff.engines.incremental.execute.whole import Result, Value, WholeOutput

Placements = dict[int, Placement]
"""Placements of each step's boxes, by the step's id."""


def run_body(program: Program, placements: Placements, inputs: torch.Tensor) -> Box:
    """Return the box of the last step of the body.

    A result is let go of as soon as the last step that takes it is done: boxes of all layers at
    once would not stay in a processor's cache.

    Parameters
    ----------
    inputs : (window · draw, ...), the windows' new contents, normalised.
    """
    left = {id(step): step.users for step in program.body}
    results: dict[int, Result] = {}
    for step in program.body:
        results[id(step)] = _result(step, results, placements, inputs)
        for each in step.inputs:
            left[id(each)] -= 1
            if left[id(each)] == 0:
                del results[id(each)]
    return cast(Box, results[id(program.body[-1])])


def watch_body(
    program: Program, placements: Placements, inputs: torch.Tensor
) -> Iterator[tuple[Step, Result]]:
    """Yield each step of the body with its result; parameters as of `run_body`."""
    results: dict[int, Result] = {}
    for step in program.body:
        results[id(step)] = _result(step, results, placements, inputs)
        yield step, results[id(step)]


def run_tail(program: Program, changes: torch.Tensor) -> torch.Tensor:
    """Return the changes of the wanted node for those (row, feature) of the body's last step."""
    last = program.body[-1]
    box = Box(last.tensor, (), _without_axes(len(changes)), change=changes)
    results: dict[int, Result] = {id(last): box}
    for step in program.tail:
        results[id(step)] = _result(step, results, {}, changes)
    return cast(Box, results[id((program.tail or program.body)[-1])]).change


def _result(
    step: Step, results: dict[int, Result], placements: Placements, inputs: torch.Tensor
) -> Result:
    """Return what a step gives, from the results of the steps before it."""
    operation = step.operation
    if isinstance(operation, NetworkInput):
        value = channels_last(inputs, step.axes)
        return Box(operation.base, step.axes, placements[id(step)], value=value)
    before = [results[id(each)] for each in step.inputs]
    if isinstance(operation, FromShapes):
        shapes: Value = operation.native(*(_outline(each, len(inputs)) for each in before))
        return shapes
    placement = placements.get(id(step)) or _without_axes(len(inputs))
    if isinstance(operation, WholeOutput):
        return operation.run(placement, before)
    return operation.run(placement, cast(list[Box], before))  # the tracer saw to it


def _without_axes(rows: int) -> Placement:
    """Return the placement of a node without spatial axes: every row is a window of one draw."""
    return Placement([()] * rows, (), True, 1)


def _outline(value: Result, rows: int) -> Value:
    """Return a box as a tensor of its whole output's shape, without values."""
    if not isinstance(value, Box):
        return value
    return torch.empty((rows, *value.base.shape[1:]), device="meta")
