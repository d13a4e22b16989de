"""The interpreter: a program's steps on the boxes of a batch of draws."""

from collections.abc import Iterator
from typing import Any

import torch

from preddiff.engines.incremental.execute.boxes import Box, Place, compact
from preddiff.engines.incremental.execute.steps import Number, Program, Source, Step


def run_body(program: Program, places: dict[int, Place], inputs: torch.Tensor) -> Box:
    """The last step of the body.

    Parameters
    ----------
    places : of each step's boxes, by the step's id.
    inputs : (window · draw, ...), the windows' new contents, normalised.
    """
    left = {id(step): step.users for step in program.body}
    results: dict[int, Any] = {}
    for step in program.body:
        results[id(step)] = _result(step, results, places, inputs)
        for each in step.inputs:
            left[id(each)] -= 1
            if left[id(each)] == 0:
                del results[id(each)]
    box: Box = results[id(program.body[-1])]
    return box


def watch_body(
    program: Program, places: dict[int, Place], inputs: torch.Tensor
) -> Iterator[tuple[Step, Any]]:
    """Each step of the body with its result; parameters as of `run_body`."""
    results: dict[int, Any] = {}
    for step in program.body:
        results[id(step)] = _result(step, results, places, inputs)
        yield step, results[id(step)]


def _result(
    step: Step, results: dict[int, Any], places: dict[int, Place], inputs: torch.Tensor
) -> Any:
    operation = step.operation
    if isinstance(operation, Source):
        value = compact(inputs, step.axes)
        return Box(step.base, step.axes, places[id(step)], value=value)
    before = [results[id(each)] for each in step.inputs]
    if isinstance(operation, Number):
        return operation.native(*(_outline(each, len(inputs)) for each in before))
    place = places.get(id(step)) or _nowhere(len(inputs))
    return operation.run(place, before)


def _nowhere(rows: int) -> Place:
    """The place of a node without spatial axes."""
    return Place([()] * rows, (), True, 1)


def _outline(value: Any, rows: int) -> Any:
    """A box as a tensor of its whole output's shape, without values."""
    if not isinstance(value, Box):
        return value
    return torch.empty((rows, *value.base.shape[1:]), device="meta")


def run_tail(program: Program, changes: torch.Tensor) -> torch.Tensor:
    """Changes of the wanted node for those (row, feature) of the body's last step."""
    last = program.body[-1]
    results: dict[int, Any] = {id(last): Box(last.base, (), _nowhere(len(changes)), change=changes)}
    for step in program.tail:
        results[id(step)] = _result(step, results, {}, changes)
    result: Box = results[id((program.tail or program.body)[-1])]
    return result.change
