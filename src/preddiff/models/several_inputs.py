"""Models of several inputs: one is explained, while the others stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import InputError, SettingError, first_line
from preddiff.types import Batch, Floats, Predictions

if TYPE_CHECKING:
    from torch import nn

Staying = Annotated[Floats, "..."]
"""An input that stays, without the axis of the batch."""

Answers = Callable[..., Predictions]
"""Takes a batch of each input, gives values (n, K)."""


def one_input(
    model: Answers | nn.Module, inputs: Sequence[ArrayLike], free: int = 0
) -> Callable[[Batch], Predictions] | nn.Module:
    """Return a model of one of its inputs, for `explain` or `load_model`; the others are fixed.

    Windows are hidden in any one input this way, whatever its kind: a picture, a scan, a row of
    numbers. A network stays one, with its nodes and the incremental engine.

    Parameters
    ----------
    model : a torch module, or a function, of several inputs: model(pictures, vectors).
    inputs : one of each, without the axis of the batch, in the order in which the model takes them.
    free : the number of the one that is explained, from 0.

    Raises
    ------
    InputError
        If an input that stays has values that are not finite.
    SettingError
        If there are not several inputs, or none has this number.
    """
    if not isinstance(inputs, Sequence) or isinstance(inputs, str) or len(inputs) < 2:
        raise SettingError("inputs: expected two or more, in a tuple: (picture, vector)")
    whole = isinstance(free, int) and not isinstance(free, bool)
    if not whole or not 0 <= free < len(inputs):
        last = len(inputs) - 1
        raise SettingError(f"free={free!r}: expected the number of an input, 0 to {last}")
    others = [_checked(each, n) for n, each in enumerate(inputs) if n != free]
    if hasattr(model, "named_parameters"):
        from preddiff.models.networks.fixed import Fixed

        return Fixed(cast("nn.Module", model), others, free)

    def of_one(batch: Batch) -> Predictions:
        given = [np.repeat(each[None], len(batch), axis=0) for each in others]
        try:
            return model(*given[:free], batch, *given[free:])
        except Exception as error:
            batches = [each.shape for each in others if each.ndim > 1 and len(each) == 1]
            if not batches:
                raise
            raise InputError(
                f"{of_one.__name__} does not take its inputs ({first_line(error)}); if one that "
                f"stays, of shape {batches[0]}, is a batch of one, give batch[0]"
            ) from error

    of_one.__name__ = of_one.__qualname__ = getattr(model, "__name__", type(model).__name__)
    return of_one


def _checked(values: ArrayLike, number: int) -> Staying:
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise InputError(
            f"input {number}, an array of {array.dtype} and shape {array.shape}: expected finite "
            "numbers; fill or mask them first"
        )
    return array.astype(np.float32) if array.dtype.kind == "f" else array
