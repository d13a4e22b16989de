"""The order in which a volume's voxels become features."""

from typing import Annotated, Literal

import numpy as np

from preddiff.errors import ModelError
from preddiff.types import AnyShape, Batch, Floats, Pixels

Order = Literal["xyz", "zyx"]
"""Axes from the slowest to the fastest: xyz of volumes as nibabel gives them, zyx as ours are."""

ORDERS = ("xyz", "zyx")

Features = Annotated[Floats, "n feature"]

STATE_ORDER = (
    "state it, as scans may be flattened in two: load_model(model, order='xyz') (--order xyz) for "
    "volumes (x, y, z) as nibabel gives them, order='zyx' for arrays (z, y, x)"
)
"""What to do where nobody knows in which order a scan's voxels became features."""


def check_features(spec: str, features: int, scan: Pixels) -> None:
    """Raise a ModelError if a model has fewer features than a scan has voxels, or more.

    Parameters
    ----------
    spec : the model's, for the message.
    """
    if features != scan.size:
        raise ModelError(
            f"{spec} has {features:,} features, the scan {scan.size:,} voxels: expected as many; "
            "if the features are the voxels in a mask, give it: load_model(pipeline, mask=FILE) "
            "(--model-mask FILE)"
        )


def to_features(inputs: Batch, order: Order | None) -> Features:
    """Return inputs (n, channel, *spatial) flattened, each in an order; None is C order.

    Raises
    ------
    ModelError
        If the order is of volumes of one channel, and these are something else.
    """
    if order == "xyz":
        _check_volumes(inputs.shape[1:])
        inputs = inputs.transpose(0, 1, 4, 3, 2)
    return inputs.reshape(len(inputs), -1).astype(np.float64)


def from_features(weights: AnyShape, shape: tuple[int, ...], order: Order | None) -> AnyShape:
    """Return weights (..., feature) as (..., *shape): the reverse of `to_features`."""
    lead = weights.shape[:-1]
    if order != "xyz":
        return weights.reshape(*lead, *shape)
    _check_volumes(shape)
    channel, z, y, x = shape
    return np.moveaxis(weights.reshape(*lead, channel, x, y, z), (-3, -1), (-1, -3))


def _check_volumes(shape: tuple[int, ...]) -> None:
    if len(shape) != 4 or shape[0] != 1:
        raise ModelError(
            f"order='xyz': is of volumes (1, z, y, x), this input is {shape}; leave it out"
        )
