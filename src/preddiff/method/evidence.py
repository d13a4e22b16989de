"""Probabilities, odds and standard errors of means: pure functions on float64 arrays."""

import math
from typing import Annotated

import numpy as np

from preddiff.types import AnyShape, Floats, Integers, Predictions

AnyDraws = Annotated[Floats, "... draw"]
"""Any axes, and the draws in the last one."""
Counts = Annotated[Integers, "..."]
"""Any axes: numbers of draws or groups, broadcastable to what they belong to."""

_NEARLY = 1e-6
NEARLY_ONE = 1 - _NEARLY
"""Probability from which on 1 - p has lost more digits than float32 has, or nearly so."""

INTERVAL = 1.96
"""Standard errors on either side of an estimate that hold the true value in 95 of 100 cases.

The 97.5 % quantile of the standard normal: a pixel averages over many windows with draws of their
own, so its error is close to normal by the central limit theorem.
"""

IMAGENET_TRAIN_SIZE = 1_281_167
"""Training pictures of ILSVRC-2012: the N of the paper's Laplace correction."""


def laplace(p: AnyShape, train_size: float, classes: int) -> AnyShape:
    """Return the Laplace-corrected probability (pN + 1) / (N + K), section 3 of the paper.

    Parameters
    ----------
    p : probabilities, any shape.
    train_size : N, the number of training examples; `math.inf` corrects nothing.
    classes : K.
    """
    if math.isinf(train_size):
        return np.asarray(p, dtype=np.float64)
    return (np.asarray(p, dtype=np.float64) * train_size + 1) / (train_size + classes)


def laplace_complement(q: AnyShape, train_size: float, classes: int) -> AnyShape:
    """Return 1 minus the Laplace-corrected p, from q = 1 - p: (qN + K - 1) / (N + K)."""
    if math.isinf(train_size):
        return np.asarray(q, dtype=np.float64)
    return (np.asarray(q, dtype=np.float64) * train_size + classes - 1) / (train_size + classes)


def log2_odds(p: AnyShape) -> AnyShape:
    """Return log2(p / (1 - p)), equation 3. Finite for every p in [0, 1]."""
    p = strictly_inside(p)
    # log1p keeps the digits of 1 - p where p is small: there, 1 - p rounds to 1.
    return np.log2(p) - np.log1p(-p) / math.log(2)


def complements(p: Predictions) -> Predictions:
    """Return 1 - p of class probabilities, with its digits also where p is close to 1.

    In float64, 1 - p is 0 for logits that are 37 or more above all others. Where the probabilities
    of a row add up to 1, it is the sum of the others.
    """
    result = 1 - p
    rows, top = np.arange(len(p)), p.argmax(axis=1)
    others = p.copy()
    others[rows, top] = 0.0
    rest = others.sum(axis=1)
    adds_up = np.abs(rest - result[rows, top]) < _NEARLY
    which = adds_up & (p[rows, top] > NEARLY_ONE) & (p.shape[1] > 1)
    result[rows[which], top[which]] = rest[which]
    return result


def strictly_inside(p: AnyShape) -> AnyShape:
    """Return probabilities moved away from 0 and 1, to the next numbers that float64 has.

    A softmax in float32 does return 0 and 1, whose log-odds are infinite. The smallest normal
    number and 1 - 2⁻⁵³ have log-odds of -1022 and 53 bits.
    """
    return np.clip(p, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)


def mean_and_error(values: AnyDraws, population: int | None = None) -> tuple[AnyShape, AnyShape]:
    """Return the mean over draws and its standard error.

    Parameters
    ----------
    values : (..., s), the draws in the last axis.
    population : number of different draws, where they are drawn without replacement: the error is
        0 when all of them were taken. None where they are unlimited.

    Returns
    -------
    mean and standard error, both (...). The error of a single draw of several is unknown: NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    draws = values.shape[-1]
    mean = values.mean(axis=-1)
    squares = ((values - mean[..., None]) ** 2).sum(axis=-1)
    return mean, error_of_mean(squares, np.array(draws), 1, population)


def error_of_mean(
    squares: AnyShape, groups: Counts, size: int = 1, population: int | None = None
) -> AnyShape:
    """Return the standard error of a mean over groups that are independent of each other.

    Parameters
    ----------
    squares : sum of the squared deviations of the groups' means from the mean.
    groups : number of groups, broadcastable to `squares`.
    size : draws in a group; 2 for antithetic pairs, whose draws depend on each other.
    population : as in `mean_and_error`.

    Returns
    -------
    the error, in the shape of `squares`; NaN where there are fewer than two groups.
    """
    # s² = squares / (g - 1) estimates the variance of one group's mean, s² / g that of the mean of
    # g groups. Of a population of N draws without replacement, n draws leave only 1 - n / N of it
    # (the finite-population correction; Cochran, Sampling Techniques, 1977, theorem 2.2): nothing
    # when all N were taken, as the mean is then the expectation itself.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squares / (groups - 1.0) / groups)
        if population is not None:
            error = error * np.sqrt(np.maximum(0.0, 1 - groups * size / population))
    error = np.where(groups < 2, np.nan, error)
    # A population of one is used up by a single draw, of which s² alone would know nothing.
    return np.where(groups * size == (population or -1), 0.0, error)
