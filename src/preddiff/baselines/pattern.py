"""Activation patterns of Haufe et al. (NeuroImage 87, 2014): the signal that weights read."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.types import Floats

PerFeature = Annotated[Floats, "feature"]


def activation_pattern(
    weights: PerFeature, features: Annotated[NDArray[np.floating], "subject feature"]
) -> PerFeature:
    """Return how every feature varies with the logit over a cohort: cov(x, s) / var(s), s = w · x.

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
    # For one output their pattern A = Σ_x W Σ_s⁻¹ is a vector: Σ_x w is the covariance of the
    # features with s, and Σ_s its variance. So the covariance matrix of all features, which has the
    # square of their number of entries, is never made. The factors 1/(n-1) of both cancel.
    logits = features @ weights
    deviation = logits - logits.mean()
    square = float(deviation @ deviation)
    if not square > 0:
        raise InputError(f"all {len(logits)} subjects have the same logit: expected some variation")
    return np.asarray(deviation @ (features - features.mean(axis=0)) / square)
