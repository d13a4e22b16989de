"""Baseline: another method's map of the same targets, to be compared with the relevance."""

from collections.abc import Callable
from dataclasses import dataclass

from preddiff.models import Model
from preddiff.samplers import Sampler
from preddiff.types import Pixels, Relevance


@dataclass(frozen=True, eq=False)
class BaselineTask:
    """The model and input of an analysis, and the analysis itself, for a baseline to use.

    Attributes
    ----------
    model : the model that is explained.
    inputs : (channel, *spatial), the model's input.
    targets : class numbers.
    window, stride : lengths in pixels, as in the analysis; the shortest where axes differ.
    relevance : the analysis with another sampler and stride, one draw a window: (target, *spatial).
    """

    model: Model
    inputs: Pixels
    targets: list[int]
    window: int
    stride: int
    relevance: Callable[[Sampler, int], Relevance]


@dataclass(frozen=True)
class Baseline:
    """One method.

    Attributes
    ----------
    name : as callers write it, and among the arrays of a result.
    label : as people read it.
    signed : whether negative values mean evidence against the target.
    compute : makes the map, (target, *spatial); None where the model does not have what it needs.
    always : whether it is computed without being asked for.
    """

    name: str
    label: str
    signed: bool
    compute: Callable[[BaselineTask], Relevance | None]
    always: bool = False
