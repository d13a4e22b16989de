"""Pool: the pictures or volumes of a folder, as the model sees them."""

import numpy as np

from preddiff.errors import SamplerError
from preddiff.media import folders, images
from preddiff.media.folders import VolumeFolder
from preddiff.samplers.spec import SpecContext
from preddiff.types import Batch


def read_pool(folder: str, context: SpecContext) -> Batch:
    """Return all inputs in a folder, or a hidden node's values on them, (n, channel, *spatial).

    Raises
    ------
    SamplerError
        If one of them does not have the input's shape.
    InputError
        If there are none, or one cannot be read.
    """
    if len(context.shape) == 4 and not context.hidden:
        return _volumes(folder, context.shape)
    pool = []
    for path in folders.find_pictures(folder):
        pool.append(context.prepare(images.read(path)))
        if pool[-1].shape != context.shape:
            raise SamplerError(
                f"{path}: has shape {pool[-1].shape}, expected the input's, {context.shape}; "
                "resize the pictures, or take a model that does"
            )
    return np.stack(pool)


def _volumes(folder: str, shape: tuple[int, ...]) -> Batch:
    cohort = VolumeFolder(folder)
    if (1, *cohort.grid.shape) != shape:
        raise SamplerError(
            f"{folder}: holds volumes of {cohort.grid.shape}, expected the input's {shape[1:]}; "
            "resample them"
        )
    return np.stack(list(cohort))
