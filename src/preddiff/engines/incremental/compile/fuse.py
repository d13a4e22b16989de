"""Several steps done in one: sums, concatenations and clamps; padding before convolutions.

Each step reads and writes its boxes once, and memory is what most of them cost. A block of ResNet
ends in add, relu; one of GoogLeNet in four times relu, then concatenate: each is one pass over
memory here (`execute/combination.py`).
"""

from preddiff.engines.incremental.execute.combination import Combination, Piece
from preddiff.engines.incremental.execute.convolution import Convolution
from preddiff.engines.incremental.execute.pointwise import Padding
from preddiff.engines.incremental.execute.steps import Step, needed


def fused(steps: list[Step]) -> list[Step]:
    """Return fewer steps with the same results; the last one stays the last."""
    for step in steps:
        if isinstance(step.operation, Combination):
            _take_over(step, step.operation)
        elif isinstance(step.operation, Convolution):
            _pad_itself(step, step.operation)
    return needed(steps, steps[-1])


def _take_over(step: Step, combination: Combination) -> None:
    """Do also what those combinations do whose results only this one takes.

    Steps come in running order, so each combination has taken over its own inputs by the time
    that it is taken over: chains of any length end up in one step.
    """
    pieces: list[Piece] = []
    inputs: list[Step] = []
    for piece in combination.pieces:
        before = [step.inputs[number] for number in piece.inputs]
        found = _pieces_of(piece, before[0]) if len(before) == 1 else None
        if found is not None:
            before = before[0].inputs
        for each in found or [piece]:
            numbers = each.inputs if found is not None else range(len(before))
            own = tuple(range(len(inputs), len(inputs) + len(numbers)))
            inputs += [before[number] for number in numbers]
            pieces.append(Piece(each.channels, own, each.clamp))
    combination.pieces, step.inputs = pieces, inputs


def _pieces_of(piece: Piece, before: Step) -> list[Piece] | None:
    """Return pieces, of the inputs of the step before, that equal a piece of its result; or None.

    A clamp of a clamp is not one clamp in general, and a sum of clamped changes is not the clamp
    of their sum: only a piece that is one input goes, and only one of the two may clamp.
    """
    inner = before.operation
    if not isinstance(inner, Combination) or before.users != 1:
        return None
    if piece.clamp is None:
        return inner.pieces
    if any(each.clamp is not None for each in inner.pieces):
        return None
    clamped, begin = [], 0
    for each in inner.pieces:
        clamped.append(Piece(each.channels, each.inputs, piece.clamp.narrow(begin, each.channels)))
        begin += each.channels
    return clamped


def _pad_itself(step: Step, convolution: Convolution) -> None:
    """Let a convolution do the padding before it: changes are 0 in a margin of any constant."""
    before = step.inputs[0]
    padding = before.operation
    if isinstance(padding, Padding) and before.users == 1 and not _crops(before, padding):
        convolution.pad(padding.before)
        step.inputs = list(before.inputs)


def _crops(step: Step, padding: Padding) -> bool:
    """Return whether a padding takes something away at either end."""
    inside = step.inputs[0].tensor
    return any(
        more < 0 or padding.base.shape[axis] < inside.shape[axis] + more
        for axis, more in zip(padding.axes, padding.before, strict=True)
    )
