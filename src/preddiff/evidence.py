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
    squares = ((values - mean[..., None]) ** 2).sum(axis=-1)
    return mean, error_of_mean(squares, np.array(draws), 1, population)


def error_of_mean(
    squares: Array, groups: NDArray[np.int64], size: int = 1, population: int | None = None
) -> Array:
    """Standard error of a mean over groups of draws that depend on each other only within.

    Parameters
    ----------
    squares : sum of the squared deviations of the groups' means from the mean.
    groups : how many there are, broadcastable to `squares`.
    size : draws in a group; 2 for antithetic pairs.
    population : as in `mean_and_error`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squares / (groups - 1.0) / groups)
        if population is not None:
            error = error * np.sqrt(np.maximum(0.0, 1 - groups * size / population))
    error = np.where(groups < 2, np.nan, error)
    return np.where(groups * size == (population or -1), 0.0, error)


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

    def bias(self, mean: Array, error: Array) -> Array:
        """By how much the evidence is off on average, as log-odds are no linear function.

        To second order: -(2p - 1) / 2 times the variance of the log-odds, in nats. For errors
        beyond what a second order can tell, no more than half the error.

        Parameters
        ----------
        mean : p(c|x without w), the mean over the draws.
        error : standard error of the evidence.
        """
        p = _inside(laplace(mean, self.train_size, self.classes))
        error = np.nan_to_num(error)
        return np.clip(-(2 * p - 1) * error**2 * math.log(2) / 2, -error / 2, error / 2)


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

    def bias(self, mean: Array, error: Array) -> Array:  # noqa: ARG002
        """None: it is linear."""
        return np.zeros_like(mean)


Measure = WeightOfEvidence | ActivationDifference
