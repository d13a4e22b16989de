"""Which of an ONNX file's outputs is taken: that of a name, else one that gives probabilities."""

import warnings
from collections.abc import Sequence

import torch

from preddiff.errors import InputWarning, ModelError
from preddiff.models.networks import head
from preddiff.models.networks.selected import number


def chosen(
    values: Sequence[torch.Tensor], names: Sequence[str], key: str | int | None, spec: str
) -> int:
    """Return the number of the output that is taken, and warn where that was not plain.

    Parameters
    ----------
    values : each output for some inputs, (n, K) if it can be taken; (n, 0) stands for one that
        cannot be.
    names : of the outputs.
    key : name or number of the one that the caller wants, as a text too where none has that name;
        None takes the first that gives probabilities, else the first of numbers.
    spec : the model's, for messages.

    Raises
    ------
    ModelError
        If there is no such output, or none that gives numbers (n, K).
    """
    if key is not None:
        return _of_key(values, names, key, spec)
    usable = [n for n, value in enumerate(values) if _is_usable(value)]
    if not usable:
        raise ModelError(f"{spec}: no output of shape (n, classes); export the scores")
    spread = [n for n in usable if values[n].shape[1] > 1 and head.is_distribution(values[n])]
    taken = spread[0] if spread else usable[0]
    if len(usable) > 1 and len(spread) != 1:
        listed = ", ".join(f"{names[n]!r} {tuple(values[n].shape[1:])}" for n in usable)
        warnings.warn(
            f"{spec} gives {listed}: {names[taken]!r} is taken; for another one, "
            "load_model(path, output_key=...), --output-key KEY",
            InputWarning,
            stacklevel=2,
        )
    return taken


def _of_key(values: Sequence[torch.Tensor], names: Sequence[str], key: str | int, spec: str) -> int:
    known = names.index(key) if key in names else number(key)
    if not isinstance(known, int) or not 0 <= known < len(names):
        raise ModelError(f"output_key={key!r}: {spec} gives {', '.join(map(repr, names))}")
    if not _is_usable(values[known]):
        shape = tuple(values[known].shape)
        given = shape if all(shape) else "something else"
        raise ModelError(
            f"output_key={key!r}: {spec} gives {given} there, expected numbers (n, classes)"
        )
    return known


def _is_usable(value: torch.Tensor) -> bool:
    return value.ndim == 2 and value.is_floating_point() and value.shape[1] > 0
