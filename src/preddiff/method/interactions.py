"""Interactions: what two regions tell together beyond what each of them tells alone.

Let v(S) be the evidence of a set S of regions that are hidden together. The interaction of regions
i and j, where everything else is visible, is

    I_ij = v({i, j}) - v({i}) - v({j})

(Blücher, Vielhaben & Strodthoff, PredDiff: Explanations and interactions from conditional
expectations, Artificial Intelligence 312, 2022). In bits of log-odds it is

- above 0 where either region is enough, as hiding one of them changes nothing (OR);
- below 0 where both are needed, as hiding one of them changes everything (AND);
- 0 where each adds its own evidence.

It is what Harsanyi calls the dividend of the pair {i, j} (A simplified bargaining model for the
n-person cooperative game, International Economic Review 4, 1963), of which Shapley's value gives
each of the two one half: where no three regions interact, Shapley's value of region i is
v({i}) + ½ Σ_j I_ij.

With the others hidden at random, each with probability ½, the mean of the same difference is
Banzhaf's interaction index (Grabisch & Roubens, An axiomatic approach to the concept of interaction
among players in cooperative games, International Journal of Game Theory 28, 1999).

Letters of axes: t target, u union of regions, s draw.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.method.ridge import ridge
from preddiff.method.sets import GROUP, SetDesign, SetEvidence
from preddiff.method.windows import Windows
from preddiff.types import Evidence, Floats

Unions = Annotated[NDArray[np.bool_], "union region"]
"""True where a region belongs to a union."""

UnionValues = Annotated[Floats, "_value union draw"]
"""Values of the model, one row for each target or for each of its two sides."""

Matrix = Annotated[Floats, "target region region"]
"""Interactions, symmetric; the evidence of each region is on the diagonal."""

EvenlyRandom = (0.5,)
"""Share of the regions that are hidden together where the others are hidden at random."""

_MIN_GROUPS = 2  # of draws, whose spread tells an error


def alone_and_in_pairs(count: int) -> Unions:
    """Return every region alone, then every pair of regions."""
    one, other = np.triu_indices(count, 1)
    pairs = np.zeros((len(one), count), dtype=bool)
    pairs[np.arange(len(one)), one] = pairs[np.arange(len(one)), other] = True
    return np.concatenate([np.eye(count, dtype=bool), pairs])


def of_unions(evidence: Evidence, count: int) -> Matrix:
    """Return the matrix of the evidence (t, u) of regions alone and in pairs."""
    alone, pairs = evidence[:, :count], evidence[:, count:]
    one, other = np.triu_indices(count, 1)
    return _symmetric(alone, pairs - alone[:, one] - alone[:, other])


def with_error(
    matrix_of: Callable[[Annotated[Floats, "_value union"]], Matrix],
    values: UnionValues,
    size: int = 1,
    population: int | None = None,
) -> tuple[Matrix, Matrix]:
    """Return a matrix that is computed from means over draws, and its standard error.

    Draws with the same number belong together in all unions: what they share cancels in
    differences, and the error knows of it. The bias that comes from few draws, as log-odds of a
    mean are not linear in it, is taken off, up to half an error.

    Parameters
    ----------
    matrix_of : the matrix of mean values.
    size : draws in a group, which depend on each other.
    population : number of different draws, where they are without replacement.

    Returns
    -------
    The errors are NaN where a single group of several tells nothing of them.
    """
    # The jackknife (Quenouille 1956, Tukey 1958; Efron & Tibshirani, An Introduction to the
    # Bootstrap, 1993, chapters 10 and 11): leave out one group of draws at a time.
    whole = matrix_of(values.mean(axis=2))
    draws = values.shape[2]
    if draws == population:
        return whole, np.zeros_like(whole)
    groups = draws // size
    if groups < _MIN_GROUPS:
        return whole, np.full_like(whole, np.nan)
    number = np.arange(draws) // size
    without = np.stack([matrix_of(values[:, :, number != g].mean(axis=2)) for g in range(groups)])
    # Of a population without replacement, the draws leave only this share of the variance, and of
    # the bias (Cochran, Sampling Techniques, 1977, theorem 2.2).
    left = 1.0 if population is None else 1 - draws / population
    error = np.sqrt(without.var(axis=0) * (groups - 1) * left)
    bias = (without.mean(axis=0) - whole) * (groups - 1) * left
    return whole - np.clip(bias, -error / 2, error / 2), error


def among_random_others(design: SetDesign, evidence: SetEvidence) -> tuple[Matrix, Matrix]:
    """Return Banzhaf's interaction indices, with Banzhaf's values on the diagonal, and errors.

    Parameters
    ----------
    design : sets of regions at a rate of one half.
    evidence : (t, set), of all its sets.
    """
    # Write s_i = 1 for a region that is hidden and -1 for one that is visible. At a rate of one
    # half, all products of different s are uncorrelated, so the fit of v(S) by a sum of terms
    # a_i s_i and b_ij s_i s_j has the coefficients that it would have with all further terms, too
    # (Hammer & Holzman, Approximations of pseudo-Boolean functions, 1992). The evidence of i is
    # then 2 a_i, and the interaction of a pair 4 b_ij.
    signs = np.where(design.all_hidden, 1.0, -1.0)
    count = signs.shape[1]
    one, other = np.triu_indices(count, 1)
    terms = np.concatenate([signs, signs[:, one] * signs[:, other]], axis=1)
    slopes, errors = ridge(terms.reshape(-1, GROUP, terms.shape[1]), evidence)
    factors = np.repeat([2.0, 4.0], [count, len(one)])
    return tuple(  # type: ignore[return-value]
        _symmetric((factors * each)[:, :count], (factors * each)[:, count:])
        for each in (slopes, errors)
    )


def random_sets(regions: Windows, count: int, seed: int) -> SetDesign:
    """Return sets of regions, each of which is hidden with probability ½."""
    return SetDesign(regions, 1, count, seed, EvenlyRandom)


def _symmetric(diagonal: Evidence, pairs: Annotated[Floats, "target _pair"]) -> Matrix:
    count = diagonal.shape[1]
    matrix = np.zeros((len(diagonal), count, count))
    one, other = np.triu_indices(count, 1)
    matrix[:, one, other] = matrix[:, other, one] = pairs
    matrix[:, np.arange(count), np.arange(count)] = diagonal
    return matrix
