"""Maps of this package: of single windows, signed and in magnitude, and of sets of windows."""

import math

import numpy as np

from preddiff.models import Model
from preddiff.pipeline.explain import explain
from preddiff.results.explanation import Explanation
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.types import Pixels

# Noise is not what holds such maps back: four times fewer windows scored the same. So windows
# overlap four times along each axis, but are no closer than a 50th of the side, with two draws.
_OVERLAP = 4
_PER_SIDE = 50
_DRAWS = 2
# About what RISE takes: several for each window, of which there are some hundred.
_SETS = 1800


def relevance(
    model: Model, picture: Pixels, target: int, seed: int, *, window: int, sampler: str
) -> PictureMap:
    """Return the signed relevance, in bits."""
    explanation = _explain(model, picture, target, seed, window, sampler)
    return _everywhere(explanation.relevance.values[0])


def importance(
    model: Model, picture: Pixels, target: int, seed: int, *, window: int, sampler: str
) -> PictureMap:
    """Return the importance, in bits: the root mean square of the evidence, noise taken off."""
    explanation = _explain(model, picture, target, seed, window, sampler)
    return _everywhere(explanation.data["importance"].values[0])


def of_sets(
    model: Model, picture: Pixels, target: int, seed: int, *, window: int, sampler: str
) -> PictureMap:
    """Return the signed relevance of windows that are hidden in random sets, in bits."""
    explanation = explain(
        model,
        picture,
        targets=[target],
        sampler=sampler,
        window=window,
        stride=window // 2,
        sets=_SETS,
        seed=seed,
        train_size=math.inf,
    )
    return _everywhere(explanation.relevance.values[0])


def _explain(
    model: Model, picture: Pixels, target: int, seed: int, window: int, sampler: str
) -> Explanation:
    stride = max(window // _OVERLAP, min(picture.shape[1:]) // _PER_SIDE, 1)
    return explain(
        model,
        picture,
        targets=[target],
        sampler=sampler,
        window=window,
        samples=_DRAWS,
        stride=stride,
        seed=seed,
        train_size=math.inf,
    )


def _everywhere(values: PictureMap) -> PictureMap:
    """Return a map that is 0 where it knows nothing: at a border that no window reaches."""
    return np.nan_to_num(values.astype(np.float64))
