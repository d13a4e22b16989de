"""The protocol of a target that is made of a model's output, and any function of it as one."""

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from preddiff.errors import ModelError, PreddiffError, TargetError, first_line
from preddiff.models import Model
from preddiff.models.asking import Asking
from preddiff.models.kind import is_network
from preddiff.models.request import VALUE_UNIT
from preddiff.types import Batch, Pixels, Predictions

Returned = typing.Any
"""What a model or a function of it returns: a tensor or array (n, ...), or things with some in."""


PROBABILITY_ROUNDING = 1e-3
"""What probabilities in float16 may be beyond 0 and 1, and their sum off 1."""


class Target(ABC):
    """One number or several, made of what a model gives.

    Attributes
    ----------
    name : as figures, pages and results say it.
    """

    name: str

    @abstractmethod
    def of(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Return a model that gives the numbers, and which of them are explained.

        Parameters
        ----------
        model : what is asked.
        inputs : one input, (channel, *spatial), to see what the model gives.

        Raises
        ------
        TargetError
            If it cannot be made of what this model gives.
        """


@dataclass(frozen=True)
class OfOutput(Target):
    """Numbers that a function makes of the output.

    Parameters
    ----------
    function : gets what a torch network returns, a tensor (n, ...) or whatever else; of any other
        model its values (n, K), as numpy. It returns (n,), or (n, k) for k targets, of which it may
        not mix inputs: each row follows from its own.
    name : of the number.
    unit : of the number; the evidence is the difference in it.
    is_probability : whether the numbers are probabilities, whose evidence is in bits.
    """

    function: Callable[[Returned], Returned]
    name: str = "target"
    unit: str = VALUE_UNIT
    is_probability: bool = False

    def of(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Return a model that gives the numbers, and which of them are explained: all."""
        if not is_network(model):
            return self.of_values(model, inputs)
        from preddiff.targets.networks import with_function

        return self._named(*with_function(model, self, inputs))

    def of_values(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Do the same with a function of the model's values (n, K), as numpy."""
        made = Computed(model, self)
        return self._named(made, made.numbers(inputs[None]).shape[1])

    def _named(self, made: Model, count: int) -> tuple[Model, list[int]]:
        if count > 1:
            made.labels = [f"{self.name} {number}" for number in range(count)]
            return made, list(range(count))
        if self.is_probability:  # one probability is that of the second of two classes
            made.labels = [f"not {self.name}", self.name]
            return made, [1]
        made.labels = [self.name]
        return made, [0]

    def called(self, output: Returned, said: str) -> Returned:
        """Return what the function makes of an output.

        Parameters
        ----------
        said : what the output is, for messages.

        Raises
        ------
        TargetError
            If it raises anything.
        """
        try:
            return self.function(output)
        except PreddiffError:
            raise
        except Exception as error:
            raise TargetError(
                f"target {self.name!r}: the function raised {type(error).__name__} "
                f"({first_line(error)}) on the model's output, {said}"
            ) from error

    def check(self, low: float, high: float) -> None:
        """Raise a TargetError if numbers in this range are said to be probabilities, but are not.

        Parameters
        ----------
        low, high : the least and the largest of the numbers.
        """
        if (
            self.is_probability
            and not -PROBABILITY_ROUNDING <= low <= high <= 1 + PROBABILITY_ROUNDING
        ):
            raise TargetError(
                f"target {self.name!r}: the function returned {low if low < 0 else high:.4g}: "
                "expected a probability, 0 to 1; is_probability=False takes any number"
            )

    def rows(self, values: Returned, inputs: int) -> Returned:
        """Return what the function gave as (n, k).

        Raises
        ------
        TargetError
            If it is of another shape.
        """
        shape = tuple(getattr(values, "shape", ()))
        if len(shape) == 1 and shape[0] == inputs:
            return values[:, None]
        if len(shape) != 2 or shape[0] != inputs or shape[1] == 0:
            gave = f"shape {shape}" if hasattr(values, "shape") else type(values).__name__
            raise TargetError(
                f"target {self.name!r}: the function returned {gave} for {inputs} inputs: expected "
                f"({inputs},) or ({inputs}, k), a row for each input"
            )
        return values


def tensor_of(output: Returned) -> Returned:
    """Return the tensor that a network returns, or `out` or `logits` of several things.

    Raises
    ------
    TargetError
        If it returns anything else.
    """
    if isinstance(output, Mapping):
        found = [output[key] for key in ("logits", "out") if key in output]
        output = found[0] if found else output
    if not hasattr(output, "shape"):
        said = f" with {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
        raise TargetError(
            f"the network returns a {type(output).__name__}{said}: expected one tensor; say which "
            "of its parts, load_model(network, output_key=...) (--output-key KEY)"
        )
    return output


class Computed(Asking):
    """A model that gives numbers made of another model's values.

    Parameters
    ----------
    model : takes the inputs.
    target : the numbers.
    """

    def __init__(self, model: Model, target: OfOutput) -> None:
        super().__init__(model)
        self.target = target
        self.value_unit = None if target.is_probability else target.unit

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return the numbers, (n, k); of one probability p, (1 - p, p). There are no nodes."""
        self._refuse_node(node)
        found = self.numbers(inputs)
        if self.target.is_probability and found.shape[1] == 1:
            return np.concatenate([1 - found, found], axis=1)
        return found

    def numbers(self, inputs: Batch) -> Predictions:
        """Return what the function makes of the values, (n, k)."""
        values = self.model.predict(inputs)
        found = self.target.called(values, f"an array {values.shape}")
        result = np.asarray(self.target.rows(found, len(inputs)), dtype=np.float64)
        if not np.isfinite(result).all():
            raise ModelError(
                f"target {self.target.name!r}: the function returned NaN or infinite values"
            )
        self.target.check(float(result.min()), float(result.max()))
        return result
