"""Pool: the pictures or volumes of a folder, as the model sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.media import Input, folders, images
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Grid, mismatch
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.spec import SpecContext
from preddiff.types import Batch


@dataclass(frozen=True, eq=False)
class Pool:
    """All inputs of a folder, or a hidden node's values on them.

    Attributes
    ----------
    values : (n, channel, *spatial).
    grid : of volumes; None of pictures.
    origin : fingerprint of the pictures, where the values are those of a hidden node.
    """

    values: Batch
    grid: Grid | None = None
    origin: str | None = None


def check_numbers(name: str, values: ArrayLike) -> None:
    """Raise a SamplerError for values that are no numbers, such as a table's categories."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise SamplerError(
            f"{name}: of {array.dtype} and shape {array.shape}: expected numbers; encode the "
            "categories of a table (load_model(pipeline, table=X_train).columns.encode, "
            "docs/models.md)"
        )


def names_of(table: ArrayLike) -> tuple[str, ...] | None:
    """Return the names of a table's columns; None of an array, which has none."""
    columns = getattr(table, "columns", None)
    return None if columns is None else tuple(map(str, columns))


def read_pool(folder: str, context: SpecContext) -> Pool:
    """Return the pool of a folder.

    Raises
    ------
    SamplerError
        If one of them does not have the input's shape.
    InputError
        If there are none, or one cannot be read.
    """
    if len(context.shape) == 4 and not context.hidden:
        return _volumes(folder, context)
    pool, pictures = [], []
    for path in folders.find_pictures(folder):
        picture = images.read(path)
        pictures.append(Input(picture, path.name).sha256)
        pool.append(context.prepare(picture))
        if pool[-1].shape != context.shape:
            raise SamplerError(
                f"{path}: has shape {pool[-1].shape}, expected the input's, {context.shape}; "
                "resize the pictures, or take a model that does"
            )
    origin = fingerprint(pictures=pictures) if context.hidden else None
    return Pool(np.stack(pool), origin=origin)


def _volumes(folder: str, context: SpecContext) -> Pool:
    cure = "resample them, or let them be resampled (resample=True, --resample)"
    if context.resample and context.grid is not None:
        moved = VolumeFolder(folder, onto=context.grid, cure=cure)
        return Pool(np.stack(list(moved)), moved.grid)
    cohort = VolumeFolder(folder, cure=cure)
    # Of a scan, a grid of the same voxels in another order is turned later; of an array, nothing
    # but the shape is known.
    if context.grid is None and (1, *cohort.grid.shape) != context.shape:
        raise SamplerError(
            f"{folder}: holds volumes of {cohort.grid.shape}, expected the input's "
            f"{context.shape[1:]}; resample them"
        )
    if context.grid is not None and cohort.grid.turns_to(context.grid) is None:
        problem = mismatch("volumes", cohort.grid, "the scan's", context.grid, cure)
        raise SamplerError(f"{folder}: {problem}")
    return Pool(np.stack(list(cohort)), cohort.grid)
