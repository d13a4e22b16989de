"""Measures: from the prediction with and without a window to evidence, and its standard error.

Zintgraf et al. section 3; Robnik-Šikonja & Kononenko (2008), section 3.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from preddiff.errors import ModelError, SettingError
from preddiff.method.evidence import Array, inside, laplace, log2_odds

_SLACK = 1e-6  # by which a mean of float32 probabilities may miss [0, 1]


class Measure(Protocol):
    """How a prediction changed."""

    @property
    def name(self) -> str:
        """What a result's provenance calls it."""

    @property
    def facts(self) -> dict[str, str | float]:
        """What a result's provenance says of it: at least measure and unit."""

    def check(self, values: Array) -> None:
        """Raise a ModelError unless it can be taken of such values."""

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        """Evidence and its standard error, by the delta method.

        Parameters
        ----------
        base : the value on the unperturbed input, broadcastable to `mean`.
        mean : the value without the window, the mean over the draws.
        error : standard error of `mean`.
        """

    def bias(self, mean: Array, error: Array) -> Array:
        """By how much the evidence is off on average, as it is no linear function of the mean.

        To second order; for errors beyond what that can tell, no more than half the error.

        Parameters
        ----------
        mean : the value without the window, the mean over the draws.
        error : standard error of the evidence.
        """


@dataclass(frozen=True)
class _Logarithmic:
    """What measures in bits share: the Laplace correction.

    Attributes
    ----------
    train_size, classes : N and K of the Laplace correction.
    """

    train_size: float
    classes: int
    name: ClassVar[str]

    @property
    def facts(self) -> dict[str, str | float]:
        size = "infinite" if math.isinf(self.train_size) else round(self.train_size)
        return {"measure": self.name, "unit": "bits", "train_size": size, "classes": self.classes}

    def check(self, values: Array) -> None:
        _check_probabilities(values, self.name)

    def _corrected(self, p: Array) -> Array:
        return laplace(p, self.train_size, self.classes)

    @property
    def _scale(self) -> float:
        """Derivative of the corrected probability."""
        if math.isinf(self.train_size):
            return 1.0
        return self.train_size / (self.train_size + self.classes)


@dataclass(frozen=True)
class WeightOfEvidence(_Logarithmic):
    """log2 odds(c|x) - log2 odds(c|x without w), in bits (equation 3)."""

    name: ClassVar[str] = "weight_of_evidence"

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        self.check(mean)
        corrected = inside(self._corrected(mean))
        evidence = log2_odds(self._corrected(base)) - log2_odds(corrected)
        # d log2 odds / dp = 1 / (ln 2 · p (1 - p)), and the correction scales p by N / (N + K).
        slope = self._scale / (math.log(2) * corrected * (1 - corrected))
        # Where float64 cannot tell p from 0 or 1, neither can it tell the slope: keep it finite.
        slope = np.minimum(slope, 1 / np.finfo(np.float64).epsneg)
        return evidence, slope * error

    def bias(self, mean: Array, error: Array) -> Array:
        # -(2p - 1) / 2 times the variance of the log-odds, in nats.
        p = inside(self._corrected(mean))
        error = np.nan_to_num(error)
        return np.clip(-(2 * p - 1) * error**2 * math.log(2) / 2, -error / 2, error / 2)


@dataclass(frozen=True)
class InformationDifference(_Logarithmic):
    """log2 p(c|x) - log2 p(c|x without w), in bits (Robnik-Šikonja & Kononenko)."""

    name: ClassVar[str] = "information_difference"

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        self.check(mean)
        corrected = inside(self._corrected(mean))
        evidence = np.log2(inside(self._corrected(base))) - np.log2(corrected)
        slope = self._scale / (math.log(2) * corrected)
        slope = np.minimum(slope, 1 / np.finfo(np.float64).epsneg)
        return evidence, slope * error

    def bias(self, mean: Array, error: Array) -> Array:  # noqa: ARG002
        # Half the variance of the logarithm, in nats.
        error = np.nan_to_num(error)
        return np.minimum(error**2 * math.log(2) / 2, error / 2)


@dataclass(frozen=True)
class DifferenceOfProbabilities:
    """p(c|x) - p(c|x without w) (Robnik-Šikonja & Kononenko)."""

    name: ClassVar[str] = "difference_of_probabilities"

    @property
    def facts(self) -> dict[str, str | float]:
        return {"measure": self.name, "unit": "probability"}

    def check(self, values: Array) -> None:
        _check_probabilities(values, self.name)

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        return base - mean, error

    def bias(self, mean: Array, error: Array) -> Array:  # noqa: ARG002
        return np.zeros_like(mean)


@dataclass(frozen=True)
class ActivationDifference:
    """g(z|h) - g(z|h without w), for any unit that is no probability (section 3.3)."""

    name: ClassVar[str] = "activation_difference"

    @property
    def facts(self) -> dict[str, str | float]:
        return {"measure": self.name, "unit": "activation"}

    def check(self, values: Array) -> None:
        """Anything goes."""

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        return base - mean, error

    def bias(self, mean: Array, error: Array) -> Array:  # noqa: ARG002
        return np.zeros_like(mean)


_SYMBOLS = {
    "WE": WeightOfEvidence.name,
    "AD": ActivationDifference.name,
    "DP": DifferenceOfProbabilities.name,
    "ID": InformationDifference.name,
}


def resolve(requested: str, probabilities: bool, train_size: float, classes: int) -> Measure:
    """The measure that is meant.

    Parameters
    ----------
    requested : a name or symbol; "auto" is the weight of evidence for probabilities, the activation
        difference for anything else.
    probabilities : whether the values are.
    train_size, classes : N and K of the Laplace correction.

    Raises
    ------
    SettingError
        If there is no such measure, or N is not above 0.
    """
    symbols = {**_SYMBOLS, "auto": _SYMBOLS["WE" if probabilities else "AD"]}
    name = symbols.get(requested, requested)
    if name == ActivationDifference.name:
        return ActivationDifference()
    if name == DifferenceOfProbabilities.name:
        return DifferenceOfProbabilities()
    for kind in (WeightOfEvidence, InformationDifference):
        if name == kind.name:
            if not train_size > 0:
                raise SettingError(f"train_size={train_size}: expected more than 0 examples")
            return kind(float(train_size), classes)
    known = ", ".join([*symbols, *_SYMBOLS.values()])
    raise SettingError(f"measure={requested!r}: expected one of {known}")


def _check_probabilities(values: Array, name: str) -> None:
    if np.min(values) < -_SLACK or np.max(values) > 1 + _SLACK:
        raise ModelError(
            f"values from {np.min(values):.4g} to {np.max(values):.4g} are no probabilities, which "
            f"the {name.replace('_', ' ')} needs: expected 0 to 1; add a softmax to the model, or "
            f"choose measure={ActivationDifference.name!r}"
        )
