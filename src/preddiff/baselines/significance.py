"""p-values of a linear classifier's weights: could labels that mean nothing have given them?

Both tests are two-sided and of each weight alone; nothing is corrected for their number.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import special

from preddiff.errors import InputError
from preddiff.method.decomposition import singular_values
from preddiff.types import Floats

Features = Annotated[NDArray[np.floating], "subject feature"]
Labels = Annotated[NDArray[np.bool_], "subject"]
"""True for patients."""
PerFeature = Annotated[Floats, "feature"]
Fit = Callable[[Labels], PerFeature]
"""Labels (subject,) → weights (feature,)."""


def permutation_p_values(fit: Fit, patient: Labels, permutations: int, seed: int) -> PerFeature:
    """Return the share of shuffled labels whose weights are at least as large, (feature,).

    The true order counts as one of them, so that no p-value is below 1 / (permutations + 1).

    Parameters
    ----------
    fit : of the classifier to the same scans with other labels.
    patient : (subject,), the true labels.
    """
    _check(patient)
    generator = np.random.default_rng(seed)
    observed = np.abs(fit(patient))
    # The observed labels are one of the orders that chance could have given: counting them keeps
    # the test valid for any number of permutations (Phipson & Smyth 2010).
    reached = np.ones(observed.shape)
    for _ in range(permutations):
        reached += np.abs(fit(generator.permutation(patient))) >= observed
    return np.asarray(reached / (permutations + 1))


def analytic_p_values(features: Features, patient: Labels, ridge: float = 0.0) -> PerFeature:
    """Return the same without shuffling, after Gaonkar & Davatzikos (NeuroImage 78, 2013).

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
    # Shuffled labels are a sum over subjects, w_j = Σ_i C_ji y_i, of terms of like size: by the
    # central limit theorem about normal, so its variance is all that a p-value needs.
    weights, deviation = _least_squares(features, patient, ridge)
    score = np.abs(weights) / np.where(deviation > 0, deviation, np.inf)
    return np.asarray(special.erfc(score / np.sqrt(2)))


def _least_squares(
    features: Features, patient: Labels, ridge: float
) -> tuple[PerFeature, PerFeature]:
    """Return weights of ridge regression on labels of ±1, and their spread under shuffling.

    With the singular values s of the centred features, C = V diag(s / (s² + λ)) Uᵀ. Its rows sum to
    0, so that shuffled labels have variance n/(n-1) · var(y) · Σ C² per weight.
    """
    n = len(patient)
    left, values, right = singular_values(features - features.mean(axis=0))
    held = values > values[0] * max(features.shape) * np.finfo(np.float64).eps
    gain = np.zeros_like(values)
    gain[held] = values[held] / (values[held] ** 2 + ridge)
    labels = np.where(patient, 1.0, -1.0)
    weights = (gain * (labels @ left)) @ right
    # Sampling without replacement: labels of different subjects have covariance -var(y) / (n-1).
    # As rows of C sum to 0, the variance of Σ C_i y_i is var(y) · n/(n-1) · Σ C², and as the left
    # vectors are orthonormal, Σ C² = Σ_k gain_k² right_k².
    variance = labels.var() * n / (n - 1) * (gain**2 @ right**2)
    return weights, np.sqrt(variance)


def _check(patient: Labels) -> None:
    if patient.all() or not patient.any():
        raise InputError(f"{len(patient)} subjects of one class: expected patients and controls")
