"""A model whose log-odds are a sum over pixels: what each is worth when hidden is known."""

import numpy as np

from preddiff import load_model

GREY = 0.5


def additive_model(weights):
    """Class 1 has the log-odds Σ weights × picture; its grey is 0.5."""

    def probabilities(inputs):
        odds = (inputs * weights).sum(axis=(1, 2, 3))
        return np.stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))], axis=1)

    return load_model(probabilities)


def truth(weights, picture):
    """What hiding each pixel behind grey takes off the log-odds of class 1."""
    return (weights * (picture - GREY)).sum(axis=0).astype(np.float64)
