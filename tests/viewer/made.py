"""Explanations of small pictures, for the tests of pages."""

import numpy as np

import preddiff

LABELS = ["ant", "<b>bee</b>", "cat & dog", "elk"]
SIDE = 16


def explained(small_network, seed=1, **settings):
    picture = np.random.default_rng(seed).random((3, SIDE, SIDE))
    settings = {"targets": [1, 2], "window": 4, "stride": 3, "samples": 4, **settings}
    return preddiff.explain(preddiff.load_model(small_network, labels=LABELS), picture, **settings)
