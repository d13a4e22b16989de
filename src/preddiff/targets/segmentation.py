"""Numbers made of a segmentation: how much of a class a region has, and how well a mask is met."""

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import TargetError
from preddiff.targets.base import OfOutput, Returned, Target, tensor_of


def mean_over(label: int, region: ArrayLike) -> Target:
    """Return the mean probability of a class over a region.

    Parameters
    ----------
    label : number of the class; of a network with one output, 0 stands for it.
    region : (y, x) or (z, y, x), true where it is, as large as the segmentation.
    """
    inside = _mask(region)

    def function(output: Returned) -> Returned:
        p = _probabilities(output, label, inside.shape)
        return p[:, _on(inside, p)].mean(1)

    return OfOutput(function, f"class {label} in the region", is_probability=True)


def dice(label: int, mask: ArrayLike) -> Target:
    """Return the Dice coefficient of a class's probabilities with a mask, 2 Σ p m / (Σ p + Σ m).

    Parameters
    ----------
    label, mask : as the label and the region of `mean_over`.
    """
    inside = _mask(mask)

    def function(output: Returned) -> Returned:
        p = _probabilities(output, label, inside.shape)
        total = p.flatten(1).sum(1) + float(inside.sum())
        return 2 * p[:, _on(inside, p)].sum(1) / total

    return OfOutput(function, f"Dice of class {label}", "Dice coefficient")


def _mask(region: ArrayLike) -> np.ndarray:
    values = np.asarray(region)
    known = np.unique(values)
    if not known.any():
        raise TargetError("the region is empty: expected true where it is")
    if len(known) > 2 or (len(known) == 2 and known[0] != 0) or np.isnan(known[-1]):
        raise TargetError(
            f"a region with {len(known)} different values, {known[0]} to {known[-1]}: expected "
            "true where it is; of labels, take one: labels == 3"
        )
    return values.astype(bool)


def _on(inside: np.ndarray, values: Returned) -> Returned:
    """Return a mask as a tensor where values are."""
    import torch

    return torch.from_numpy(inside).to(values.device)


def _probabilities(output: Returned, label: int, shape: tuple[int, ...]) -> Returned:
    """Return a class's probabilities (n, *spatial) of a segmentation's logits."""
    logits = tensor_of(output)
    if len(logits.shape) < 3:
        raise TargetError(
            f"the network returns shape {tuple(logits.shape)}: expected a segmentation, (n, "
            "classes, y, x) or (n, classes, z, y, x)"
        )
    if tuple(logits.shape[2:]) != shape:
        raise TargetError(
            f"a region of shape {shape}: expected that of the segmentation, "
            f"{tuple(logits.shape[2:])}"
        )
    count = logits.shape[1]
    if not isinstance(label, int | np.integer) or not 0 <= label < count:
        raise TargetError(f"class {label!r}: expected its number, 0 to {count - 1}")
    return (logits.sigmoid() if count == 1 else logits.softmax(1))[:, label]
