"""Probabilities, odds and standard errors of means: pure functions on float64 arrays."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

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
    p = inside(p)
    return np.log2(p) - np.log1p(-p) / math.log(2)


def inside(p: Array) -> Array:
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
