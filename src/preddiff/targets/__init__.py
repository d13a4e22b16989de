"""Targets that are made of a model's output: any number that it computes can be explained.

    preddiff.explain(model, picture, targets=preddiff.targets.contrast("husky", "wolf"))
    preddiff.explain(network, picture, targets=lambda output: output["out"][:, 15].mean((1, 2)))

A class, a channel or a unit of a hidden node is named instead (`preddiff.explain`).
"""

from preddiff.targets.base import OfOutput, Target
from preddiff.targets.detectors import detection
from preddiff.targets.distribution import entropy
from preddiff.targets.embedding import similarity
from preddiff.targets.pairs import contrast
from preddiff.targets.segmentation import dice, mean_over

__all__ = [
    "OfOutput",
    "Target",
    "contrast",
    "detection",
    "dice",
    "entropy",
    "mean_over",
    "similarity",
]
