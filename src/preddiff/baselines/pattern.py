"""Activation patterns of Haufe et al. (NeuroImage 87, 2014): what the weights read, as a signal."""

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError

Floats = NDArray[np.float64]


def activation_pattern(weights: Floats, features: NDArray[np.floating]) -> Floats:
    """How every feature goes with the logit over a cohort: cov(x, s) / var(s), with s = w · x.

    Weights are filters: they may be large where they only take noise away that another feature
    measures. The pattern is large where the logit can be seen (their equation 6, for one output).

    Parameters
    ----------
    weights : (feature,).
    features : (subject, feature).

    Returns
    -------
    (feature,), in units of the features per unit of the logit.

    Raises
    ------
    InputError
        If all subjects have the same logit.
    """
    logits = features @ weights
    deviation = logits - logits.mean()
    square = float(deviation @ deviation)
    if not square > 0:
        raise InputError(f"all {len(logits)} subjects have the same logit: expected some variation")
    return np.asarray(deviation @ (features - features.mean(axis=0)) / square)
