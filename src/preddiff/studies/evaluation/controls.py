"""Maps that know nothing of the model: what a method must be better than to have said anything."""

import numpy as np
from scipy import ndimage

from preddiff.models import Model
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.types import Pixels

_CENTRE = 4  # of a side's length in a standard deviation of the bell in the centre
_BLUR = 14  # of a side's length in a standard deviation: a patch


def random(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return noise."""
    del model, target
    return np.random.default_rng(seed).random(picture.shape[1:])


def sobel(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return the strength of the picture's edges: the gradient of its brightness."""
    del model, target, seed
    brightness = picture.mean(axis=0, dtype=np.float64)
    edges = (ndimage.sobel(brightness, axis=axis) for axis in (0, 1))
    return np.asarray(np.hypot(*edges))


def blurred(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return how dense the picture's edges are: `sobel`, blurred by a 14th of the side."""
    edges = sobel(model, picture, target, seed)
    return np.asarray(ndimage.gaussian_filter(edges, min(edges.shape) / _BLUR))


def centre(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return a bell in the centre of the picture, where photographers put what they mean."""
    del model, target, seed
    rows, columns = ((np.arange(n) - (n - 1) / 2) / (n / _CENTRE) for n in picture.shape[1:])
    return np.asarray(np.exp(-(rows[:, None] ** 2 + columns[None] ** 2) / 2))


def laplace(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return how much each pixel's brightness differs from what lies around it."""
    del model, target, seed
    return np.asarray(ndimage.laplace(picture.mean(axis=0, dtype=np.float64)))


def brightness(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return the picture itself: by how much its brightness differs from grey."""
    del model, target, seed
    return np.asarray(picture.mean(axis=0, dtype=np.float64) - 0.5)
