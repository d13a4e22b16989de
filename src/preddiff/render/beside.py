"""Maps beside an explanation's own, such as a classifier's weights in figure 9 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import InputError, SettingError
from preddiff.media import volumes
from preddiff.media.names import result_name
from preddiff.models.linear import Linear

if TYPE_CHECKING:
    from preddiff.render.strips import Volume
    from preddiff.results.explanation import Explanation

Beside = object
"""A linear model, whose weights are shown; a map (z, y, x), or the path of one; or a mapping from
names to such maps."""


def maps_beside(source: Beside, explanation: Explanation, row: int) -> dict[str, Volume]:
    """Return maps (z, y, x) by their names, for a target of a scan.

    Raises
    ------
    SettingError, InputError
        If there is no such map, or it has other voxels than the explanation.
    """
    if source is None:
        return {}
    if isinstance(source, Linear):
        return {"weights": _weights(source, explanation, row)}
    named = source if isinstance(source, Mapping) else {_name(source): source}
    return {str(name): _map(each, str(name), explanation) for name, each in named.items()}


def _name(source: object) -> str:
    return result_name(Path(source)) if isinstance(source, str | Path) else "weights"


def _weights(model: Linear, explanation: Explanation, row: int) -> Volume:
    """Return the weights of a target's logit; of two classes, the second one's or minus these."""
    shape = explanation.picture.shape
    weights = model.per_class(shape)[0]
    target = int(explanation.data["target"].values[row])
    # Two classes have the logits (0, z), of which only the difference counts.
    own = weights[target] - (weights[1 - target] if len(weights) == 2 else 0)
    return np.asarray(own.sum(axis=0))


def _map(source: object, name: str, explanation: Explanation) -> Volume:
    shape = explanation.coverage.shape
    if isinstance(source, str | Path):
        volume = volumes.read(source, quiet=True)
        grid = explanation.grid
        if grid is not None and not volume.grid.is_like(grid):
            raise InputError(f"{source}: a map of {volume.grid}: expected one of the scan's {grid}")
        source = volume.values
    values = np.asarray(source)
    if values.shape == (1, *shape):
        values = values[0]
    if values.shape != shape or values.dtype.kind not in "fiub":
        raise SettingError(
            f"beside={name!r}: a map of shape {values.shape}: expected numbers of the scan's shape "
            f"(z, y, x), {shape}"
        )
    return values.astype(np.float64)
