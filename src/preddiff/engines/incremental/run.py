"""The interpreter: a program's steps on the boxes of a batch of draws."""

from collections.abc import Iterator
from typing import Any

import torch

from preddiff.engines.incremental.boxes import Box, Place, compact
from preddiff.engines.incremental.trace import Number, Program, Source, Step


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
        result = results[id(step)] = _result(step, results, places, inputs)
        if isinstance(result, Box):
            result.owned = False
        yield step, result


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
    result = operation.run(place, before)
    if isinstance(result, Box):
        result.owned = result.owned and step.users == 1
    return result


def _nowhere(rows: int) -> Place:
    """The place of a node without spatial axes."""
    return Place([()] * rows, (), True, 1)


def _outline(value: Any, rows: int) -> Any:
    """A box as a tensor of its whole output's shape, without values."""
    if not isinstance(value, Box):
        return value
    return torch.empty((rows, *value.base.shape[1:]), device="meta")


def run_tail(program: Program, rows: torch.Tensor) -> torch.Tensor:
    """The wanted node for rows of the body's last step."""
    results: dict[int, Any] = {id(program.body[-1]): rows}
    for step in program.tail:
        inputs = [results[id(each)] for each in step.inputs]
        results[id(step)] = step.operation.native(*inputs)
    result: torch.Tensor = results[id((program.tail or program.body)[-1])]
    return result
