"""Measures: from the prediction with and without a window to evidence, and its standard error.

Zintgraf et al. (2017), section 3; Robnik-Šikonja & Kononenko (2008), section 3.

The prediction without a window is a mean p̂ over draws, with a standard error s. Evidence is a
constant minus a smooth function f of it. Around its expectation p, Taylor's expansion

    f(p̂) ≈ f(p) + f'(p) (p̂ - p) + f''(p) (p̂ - p)² / 2

gives the standard error |f'(p)| s (the delta method) and, as E(p̂ - p) = 0 and E(p̂ - p)² = s², the
bias f''(p) s² / 2 (Oehlert, A note on the delta method, The American Statistician 46, 1992).
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

from preddiff.errors import ModelError, SettingError
from preddiff.method.evidence import (
    NEARLY_ONE,
    laplace,
    laplace_complement,
    log2_odds,
    strictly_inside,
)
from preddiff.types import AnyShape, PerTarget

ENOUGH_EXAMPLES = 1e9
"""Largest N of the Laplace correction that keeps probabilities some 1e-9 away from 0 and 1."""

_LEAST_BITS = 1e-3  # of evidence in a window: what a correction takes of less is of no interest
_PROBABILITY_TOLERANCE = 1e-6  # a mean of float32 probabilities may miss [0, 1] by rounding
# Where float64 cannot tell a probability from 0 or 1, it cannot tell the slope of its logarithm
# either: the error stays finite.
_MAX_SLOPE = 1 / np.finfo(np.float64).epsneg


class Measure(Protocol):
    """A measure of how much a prediction changes when a window is hidden."""

    @property
    def name(self) -> str:
        """Return the name that a result's provenance has."""

    @property
    def facts(self) -> dict[str, str | float]:
        """Return the entries of a result's provenance: at least measure and unit."""

    def check(self, values: AnyShape) -> None:
        """Raise a ModelError unless the measure is defined for such values."""

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        """Return the evidence and its standard error, by the delta method.

        Parameters
        ----------
        base : the value on the unperturbed input, broadcastable to `mean`.
        mean : the value without the window, the mean over the draws.
        error : standard error of `mean`.
        """

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:
        """Return how far the evidence is off on average, as it is not linear in the mean.

        To second order. Where the errors are so large that higher orders matter, the bias is
        limited to half the error.

        Parameters
        ----------
        mean : the value without the window, the mean over the draws.
        error : standard error of the evidence.
        """

    def taken(self, base: AnyShape, mean: AnyShape, evidence: AnyShape) -> PerTarget:
        """Return which share of the evidence (target, window) the Laplace correction takes."""


@dataclass(frozen=True)
class _LogarithmicMeasure:
    """The common part of measures in bits: they take logarithms of Laplace-corrected values.

    Attributes
    ----------
    train_size, classes : N and K of the Laplace correction.
    """

    train_size: float
    classes: int
    name: ClassVar[str]

    @property
    def facts(self) -> dict[str, str | float]:
        """Return measure, unit, N and K for the provenance."""
        size = "infinite" if math.isinf(self.train_size) else round(self.train_size)
        return {"measure": self.name, "unit": "bits", "train_size": size, "classes": self.classes}

    def check(self, values: AnyShape) -> None:
        """Raise a ModelError unless all values are probabilities."""
        _check_probabilities(values, self.name)

    def _corrected(self, p: AnyShape) -> AnyShape:
        return laplace(p, self.train_size, self.classes)

    @property
    def _scale(self) -> float:
        """Derivative of (pN + 1) / (N + K), by which the correction scales every slope."""
        if math.isinf(self.train_size):
            return 1.0
        return self.train_size / (self.train_size + self.classes)

    def taken(self, base: AnyShape, mean: AnyShape, evidence: AnyShape) -> PerTarget:
        """Return which share of the evidence the correction takes."""
        plain = np.abs(replace(self, train_size=math.inf)._evidence(base, mean)).sum(axis=1)
        held = np.minimum(np.abs(evidence).sum(axis=1), plain)
        enough = plain > _LEAST_BITS * evidence.shape[1]
        share: PerTarget = np.divide(held, plain, out=np.ones_like(plain), where=enough)
        return 1 - share

    def _evidence(self, base: AnyShape, mean: AnyShape) -> AnyShape:
        raise NotImplementedError


@dataclass(frozen=True)
class WeightOfEvidence(_LogarithmicMeasure):
    """The difference log2 odds(c|x) - log2 odds(c|x without w), in bits (equation 3)."""

    name: ClassVar[str] = "weight_of_evidence"

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        self.check(mean)
        corrected = strictly_inside(self._corrected(mean))
        evidence = self._evidence(base, mean)
        # f = log2(p / (1 - p)), f' = 1 / (ln 2 · p (1 - p)).
        slope = self._scale / (math.log(2) * corrected * (1 - corrected))
        return evidence, np.minimum(slope, _MAX_SLOPE) * error

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:
        """Return the bias of evidence from a mean of few draws, to second order."""
        # f'' = (2p - 1) / (ln 2 · p² (1 - p)²) = (2p - 1) ln 2 · f'², and f'² s² is the square of
        # the evidence's error: f'' s² / 2 = (2p - 1) ln 2 / 2 · error². Evidence is -f, so its
        # bias has the other sign. The error of a single draw is unknown (NaN): no correction.
        p = strictly_inside(self._corrected(mean))
        error = np.nan_to_num(error)
        return np.clip(-(2 * p - 1) * error**2 * math.log(2) / 2, -error / 2, error / 2)

    def _evidence(self, base: AnyShape, mean: AnyShape) -> AnyShape:
        corrected = strictly_inside(self._corrected(mean))
        return log2_odds(self._corrected(base)) - log2_odds(corrected)

    def of_both_sides(self) -> "BothSides":
        """Return the same measure of probabilities and their complements."""
        return BothSides(self.train_size, self.classes)


@dataclass(frozen=True)
class BothSides(WeightOfEvidence):
    """The weight of evidence from probabilities p and, below them, as many complements 1 - p.

    In float64, 1 - p is 0 for log-odds above 37 (53 bits), and has few digits long before. The
    complements that a model computes from its logits have all their digits.
    """

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        """Return the weight of evidence in bits, and its standard error."""
        p, q = np.split(mean, 2)
        of_p, of_q = np.split(error, 2)
        plain = WeightOfEvidence(self.train_size, self.classes)
        evidence, error = plain(np.split(base, 2)[0], p, of_p)
        if not self._needs_complements:
            return evidence, error
        q = strictly_inside(laplace_complement(q, self.train_size, self.classes))
        # Where q is tiny, so is its error, and the slope of its logarithm is as large.
        wide = self._scale / (math.log(2) * (1 - q)) * (of_q / q)
        return self._evidence(base, mean), np.where(p > NEARLY_ONE, wide, error)

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:
        """Return the bias of evidence from a mean of few draws, to second order."""
        return super().bias(np.split(mean, 2)[0], error)

    def _evidence(self, base: AnyShape, mean: AnyShape) -> AnyShape:
        return self._log_odds(base) - self._log_odds(mean)

    def _log_odds(self, values: AnyShape) -> AnyShape:
        p, q = np.split(values, 2)
        result = log2_odds(strictly_inside(self._corrected(p)))
        if not self._needs_complements:
            return result
        q = laplace_complement(q, self.train_size, self.classes)
        return np.where(p > NEARLY_ONE, -log2_odds(q), result)

    @property
    def _needs_complements(self) -> bool:
        """True where the correction leaves 1 - p so small that float64 loses its digits."""
        return self.train_size > ENOUGH_EXAMPLES


@dataclass(frozen=True)
class InformationDifference(_LogarithmicMeasure):
    """The difference log2 p(c|x) - log2 p(c|x without w), in bits (Robnik-Šikonja & Kononenko)."""

    name: ClassVar[str] = "information_difference"

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        self.check(mean)
        corrected = strictly_inside(self._corrected(mean))
        evidence = self._evidence(base, mean)
        # f = log2 p, f' = 1 / (ln 2 · p).
        slope = self._scale / (math.log(2) * corrected)
        return evidence, np.minimum(slope, _MAX_SLOPE) * error

    def _evidence(self, base: AnyShape, mean: AnyShape) -> AnyShape:
        corrected = strictly_inside(self._corrected(mean))
        return np.log2(strictly_inside(self._corrected(base))) - np.log2(corrected)

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:  # noqa: ARG002
        """Return the bias of evidence from a mean of few draws, to second order."""
        # f'' = -1 / (ln 2 · p²) = -ln 2 · f'²: the bias of -f is ln 2 / 2 · error².
        error = np.nan_to_num(error)
        return np.minimum(error**2 * math.log(2) / 2, error / 2)


@dataclass(frozen=True)
class DifferenceOfProbabilities:
    """The difference p(c|x) - p(c|x without w) (Robnik-Šikonja & Kononenko)."""

    name: ClassVar[str] = "difference_of_probabilities"

    @property
    def facts(self) -> dict[str, str | float]:
        """Return measure and unit for the provenance."""
        return {"measure": self.name, "unit": "probability"}

    def check(self, values: AnyShape) -> None:
        """Raise a ModelError unless all values are probabilities."""
        _check_probabilities(values, self.name)

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        return base - mean, error

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:  # noqa: ARG002
        """Return the bias of evidence from a mean of few draws, to second order."""
        return np.zeros_like(mean)

    def taken(self, base: AnyShape, mean: AnyShape, evidence: AnyShape) -> PerTarget:  # noqa: ARG002
        """Return 0: there is no correction."""
        return np.zeros(len(evidence))


@dataclass(frozen=True)
class ActivationDifference:
    """The difference g(z|h) - g(z|h without w), of units that are not probabilities (3.3).

    Attributes
    ----------
    unit : of the values.
    """

    unit: str = "activation"
    name: ClassVar[str] = "activation_difference"

    @property
    def facts(self) -> dict[str, str | float]:
        """Return measure and unit for the provenance."""
        return {"measure": self.name, "unit": self.unit}

    def check(self, values: AnyShape) -> None:
        """Accept every value."""

    def __call__(
        self, base: AnyShape, mean: AnyShape, error: AnyShape
    ) -> tuple[AnyShape, AnyShape]:
        return base - mean, error

    def bias(self, mean: AnyShape, error: AnyShape) -> AnyShape:  # noqa: ARG002
        """Return the bias of evidence from a mean of few draws, to second order."""
        return np.zeros_like(mean)

    def taken(self, base: AnyShape, mean: AnyShape, evidence: AnyShape) -> PerTarget:  # noqa: ARG002
        """Return 0: there is no correction."""
        return np.zeros(len(evidence))


_SYMBOLS = {
    "WE": WeightOfEvidence.name,
    "AD": ActivationDifference.name,
    "DP": DifferenceOfProbabilities.name,
    "ID": InformationDifference.name,
}


def resolve(requested: str, unit: str | None, train_size: float, classes: int) -> Measure:
    """Return the measure that a setting names.

    Parameters
    ----------
    requested : a name or symbol; "auto" is the weight of evidence for probabilities, the
        activation difference for anything else.
    unit : of the values to be measured; None of probabilities.
    train_size, classes : N and K of the Laplace correction.

    Raises
    ------
    SettingError
        If there is no such measure, or N is not above 0.
    """
    symbols = {**_SYMBOLS, "auto": _SYMBOLS["WE" if unit is None else "AD"]}
    name = symbols.get(requested, requested)
    if name == ActivationDifference.name:
        return ActivationDifference() if unit is None else ActivationDifference(unit)
    if name == DifferenceOfProbabilities.name:
        return DifferenceOfProbabilities()
    for kind in (WeightOfEvidence, InformationDifference):
        if name == kind.name:
            if not train_size > 0:
                raise SettingError(f"train_size={train_size}: expected more than 0 examples")
            return kind(float(train_size), classes)
    known = ", ".join([*symbols, *_SYMBOLS.values()])
    raise SettingError(f"measure={requested!r}: expected one of {known}")


def _check_probabilities(values: AnyShape, name: str) -> None:
    if np.min(values) < -_PROBABILITY_TOLERANCE or np.max(values) > 1 + _PROBABILITY_TOLERANCE:
        raise ModelError(
            f"values from {np.min(values):.4g} to {np.max(values):.4g} are not probabilities: "
            f"the {name.replace('_', ' ')} is defined from 0 to 1; add a softmax to the model, "
            "say what they are (load_model(output='logits') or 'values'; \"output\" in the "
            "settings of --preprocess), or choose "
            f"measure={ActivationDifference.name!r}"
        )
