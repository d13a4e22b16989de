"""p-values of a linear classifier's weights: could labels that mean nothing have given them?

Both tests are two-sided and of each weight alone; nothing is corrected for their number.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from preddiff.errors import InputError

Floats = NDArray[np.float64]
Fit = Callable[[NDArray[np.bool_]], Floats]
"""Labels (subject,) → weights (feature,)."""


def permutation_p_values(
    fit: Fit, patient: NDArray[np.bool_], permutations: int, seed: int
) -> Floats:
    """Share of shuffled labels whose weights are at least as large, (feature,).

    The true order counts as one of them, so that no p-value is below 1 / (permutations + 1).

    Parameters
    ----------
    fit : of the classifier to the same scans with other labels.
    patient : (subject,), the true labels.
    """
    _check(patient)
    generator = np.random.default_rng(seed)
    observed = np.abs(fit(patient))
    reached = np.ones(observed.shape)
    for _ in range(permutations):
        reached += np.abs(fit(generator.permutation(patient))) >= observed
    return np.asarray(reached / (permutations + 1))


def analytic_p_values(
    features: NDArray[np.floating], patient: NDArray[np.bool_], ridge: float = 0.0
) -> Floats:
    """The same without shuffling, after Gaonkar & Davatzikos (NeuroImage 78, 2013).

    Where features outnumber subjects, the weights of a support vector machine are about those of
    least norm that fit the labels exactly, w = C y. Each is then a weighted sum of shuffled labels,
    whose variance is known and which is about normal.

    Parameters
    ----------
    features : (subject, feature).
    patient : (subject,).
    ridge : penalty λ on the squared norm of the weights, to least squares; 0 is the exact fit.

    Returns
    -------
    (feature,)

    Raises
    ------
    InputError
        If there is only one class.
    """
    _check(patient)
    weights, deviation = _least_squares(features, patient, ridge)
    score = np.abs(weights) / np.where(deviation > 0, deviation, np.inf)
    return np.asarray(special.erfc(score / np.sqrt(2)))


def _least_squares(
    features: NDArray[np.floating], patient: NDArray[np.bool_], ridge: float
) -> tuple[Floats, Floats]:
    """Weights of ridge regression on labels of ±1, and their spread under shuffling.

    With the singular values s of the centred features, C = V diag(s / (s² + λ)) Uᵀ. Its rows sum to
    0, so that shuffled labels have variance n/(n-1) · var(y) · Σ C² per weight.
    """
    n = len(patient)
    left, values, right = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    held = values > values[0] * max(features.shape) * np.finfo(np.float64).eps
    gain = np.zeros_like(values)
    gain[held] = values[held] / (values[held] ** 2 + ridge)
    labels = np.where(patient, 1.0, -1.0)
    weights = (gain * (labels @ left)) @ right
    variance = labels.var() * n / (n - 1) * (gain**2 @ right**2)
    return weights, np.sqrt(variance)


def _check(patient: NDArray[np.bool_]) -> None:
    if patient.all() or not patient.any():
        raise InputError(f"{len(patient)} subjects of one class: expected patients and controls")
