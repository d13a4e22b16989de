"""From predictions to evidence, with standard errors: pure functions on float64 arrays.

Axis names in the comments: t target, w window, s draw.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import ModelError

Array = NDArray[np.float64]

_SLACK = 1e-6  # by which a mean of float32 probabilities may miss [0, 1]

IMAGENET_TRAIN_SIZE = 1_281_167
"""Training pictures of ILSVRC-2012: the N of the paper's Laplace correction."""


def laplace(p: Array, train_size: float, classes: int) -> Array:
    """Laplace-corrected probability (pN + 1) / (N + K), section 3.

    Parameters
    ----------
    p : probabilities, any shape.
    train_size : N, the number of training examples; `math.inf` corrects nothing.
    classes : K.
    """
    if math.isinf(train_size):
        return np.asarray(p, dtype=np.float64)
    return (np.asarray(p, dtype=np.float64) * train_size + 1) / (train_size + classes)


def log2_odds(p: Array) -> Array:
    """log2(p / (1 - p)), equation 3. Finite for every p in [0, 1]."""
    p = _inside(p)
    return np.log2(p) - np.log1p(-p) / math.log(2)


def _inside(p: Array) -> Array:
    """Probabilities kept away from 0 and 1 by the least that float64 can tell."""
    return np.clip(p, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)


def mean_and_error(values: Array, population: int | None = None) -> tuple[Array, Array]:
    """Mean over draws and its standard error.

    Parameters
    ----------
    values : (..., s), the last axis holding the draws.
    population : how many different draws there are, when they are drawn without replacement:
        the error is 0 when all of them were taken. None when they are unlimited.

    Returns
    -------
    mean and standard error, both (...). One draw of many tells nothing of its error: NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    draws = values.shape[-1]
    mean = values.mean(axis=-1)
    if draws == population:
        return mean, np.zeros_like(mean)
    if draws < 2:
        return mean, np.full_like(mean, np.nan)
    error = values.std(axis=-1, ddof=1) / math.sqrt(draws)
    if population is not None:
        error = error * math.sqrt(1 - draws / population)
    return mean, error


@dataclass(frozen=True)
class WeightOfEvidence:
    """log2 odds(c|x) - log2 odds(c|x without w), in bits (equation 3).

    Attributes
    ----------
    train_size, classes : N and K of the Laplace correction.
    """

    train_size: float
    classes: int
    name: ClassVar[str] = "weight_of_evidence"

    @property
    def facts(self) -> dict[str, str | float]:
        """What a result's provenance says of it."""
        size = "infinite" if math.isinf(self.train_size) else round(self.train_size)
        return {"measure": self.name, "unit": "bits", "train_size": size, "classes": self.classes}

    def check(self, values: Array) -> None:
        """Raise a ModelError unless these can be probabilities."""
        if np.min(values) < -_SLACK or np.max(values) > 1 + _SLACK:
            raise ModelError(
                f"values from {np.min(values):.4g} to {np.max(values):.4g} are no probabilities, "
                "which the weight of evidence needs: expected 0 to 1; add a softmax to the model, "
                f"or choose measure={ActivationDifference.name!r}"
            )

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        """Evidence and its standard error, by the delta method.

        Parameters
        ----------
        base : p(c|x), broadcastable to `mean`.
        mean : p(c|x without w), the mean over the draws.
        error : standard error of `mean`.
        """
        self.check(mean)
        corrected = _inside(laplace(mean, self.train_size, self.classes))
        evidence = log2_odds(laplace(base, self.train_size, self.classes)) - log2_odds(corrected)
        # d log2 odds / dp = 1 / (ln 2 · p (1 - p)), and the correction scales p by N / (N + K).
        scale = (
            1.0
            if math.isinf(self.train_size)
            else self.train_size / (self.train_size + self.classes)
        )
        slope = scale / (math.log(2) * corrected * (1 - corrected))
        # Where float64 cannot tell p from 0 or 1, neither can it tell the slope: keep it finite.
        slope = np.minimum(slope, 1 / np.finfo(np.float64).epsneg)
        return evidence, slope * error


@dataclass(frozen=True)
class ActivationDifference:
    """g(z|h) - g(z|h without w), for any unit that is no probability (section 3.3)."""

    name: ClassVar[str] = "activation_difference"

    @property
    def facts(self) -> dict[str, str | float]:
        """What a result's provenance says of it."""
        return {"measure": self.name, "unit": "activation"}

    def __call__(self, base: Array, mean: Array, error: Array) -> tuple[Array, Array]:
        """Evidence and its standard error; arguments as in `WeightOfEvidence`."""
        return base - mean, error


Measure = WeightOfEvidence | ActivationDifference
