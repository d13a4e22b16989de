"""RISE: randomised input sampling (Petsiuk, Das & Saenko 2018)."""

import numpy as np

from preddiff.models import Model
from preddiff.studies.evaluation.imputers import mean_colour
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.types import Pixels

_CELLS = 7  # along each side of the small masks: the paper's
_VISIBLE = 0.5  # probability of a cell to be visible: the paper's
_BATCH = 8


def rise(model: Model, picture: Pixels, target: int, seed: int, *, masks: int) -> PictureMap:
    """Return the mean of random masks, weighted by the target's probability on masked pictures.

    Small binary masks are enlarged bilinearly to a cell more than the picture and cropped at a
    random shift (section 3.2 of the paper). What they hide fades to the mean colour.

    Parameters
    ----------
    masks : number of masks, and of evaluations.
    """
    random = np.random.default_rng(seed)
    colour = mean_colour(model, picture)[:, None, None]
    total = np.zeros(picture.shape[1:])
    faster = model.faster(picture)
    for first in range(0, masks, _BATCH):
        count = min(_BATCH, masks - first)
        some = np.stack([_mask(random, picture.shape[1:]) for _ in range(count)])
        shown = some[:, None] * picture + (1 - some[:, None]) * colour
        p = faster.predict(shown.astype(np.float32))[:, target]
        total += np.tensordot(p, some, axes=1)
    return np.asarray(total / (masks * _VISIBLE))


def _mask(random: np.random.Generator, shape: tuple[int, ...]) -> PictureMap:
    """Return one smooth mask in [0, 1]."""
    cells = (random.random((_CELLS + 1, _CELLS + 1)) < _VISIBLE).astype(np.float64)
    # Coordinates of the picture's pixels among the cells, shifted by up to a cell.
    at = [np.arange(n) * (_CELLS - 1) / n + random.random() for n in shape]
    # Bilinear weights: each coordinate lies between two cells.
    rows, columns = (
        np.maximum(0, 1 - np.abs(each[:, None] - np.arange(_CELLS + 1))) for each in at
    )
    return np.asarray(rows @ cells @ columns.T)
