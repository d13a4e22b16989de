"""Steps that are done in one: what is added, put together and clamped; padding before convolutions.

Each step reads and writes memory once, and that is what most of them cost.
"""

from preddiff.engines.incremental.execute.combination import Combination, Piece
from preddiff.engines.incremental.execute.operations import Convolution, Padding
from preddiff.engines.incremental.execute.steps import Step, needed


def fused(steps: list[Step]) -> list[Step]:
    """The same results by fewer steps; the last one stays the last."""
    for step in steps:
        if isinstance(step.operation, Combination):
            _take_over(step, step.operation)
        elif isinstance(step.operation, Convolution):
            _pad_itself(step, step.operation)
    return needed(steps, steps[-1])


def _take_over(step: Step, combination: Combination) -> None:
    """Do what the combinations do that only this one takes."""
    pieces: list[Piece] = []
    inputs: list[Step] = []
    for piece in combination.pieces:
        before = [step.inputs[number] for number in piece.inputs]
        found = _instead(piece, before[0]) if len(before) == 1 else None
        if found is not None:
            before = before[0].inputs
        for each in found or [piece]:
            numbers = each.inputs if found is not None else range(len(before))
            own = tuple(range(len(inputs), len(inputs) + len(numbers)))
            inputs += [before[number] for number in numbers]
            pieces.append(Piece(each.channels, own, each.clamp))
    combination.pieces, step.inputs = pieces, inputs


def _instead(piece: Piece, before: Step) -> list[Piece] | None:
    """Pieces, of the inputs of the step before, that are the same as a piece of its result."""
    first = before.operation
    if not isinstance(first, Combination) or before.users != 1:
        return None
    if piece.clamp is None:
        return first.pieces
    if any(each.clamp is not None for each in first.pieces):
        return None
    clamped, begin = [], 0
    for each in first.pieces:
        clamped.append(Piece(each.channels, each.inputs, piece.clamp.narrow(begin, each.channels)))
        begin += each.channels
    return clamped


def _pad_itself(step: Step, convolution: Convolution) -> None:
    """Changes are 0 in a margin, whatever constant it is filled with."""
    before = step.inputs[0]
    padding = before.operation
    if isinstance(padding, Padding) and before.users == 1 and not _crops(before, padding):
        convolution.pad(padding.before)
        step.inputs = list(before.inputs)


def _crops(step: Step, padding: Padding) -> bool:
    inside = step.inputs[0].base
    return any(
        more < 0 or padding.base.shape[axis] < inside.shape[axis] + more
        for axis, more in zip(padding.axes, padding.before, strict=True)
    )
