"""Aliases of arrays that say what each axis is.

The text of an alias names the axes in order, as jaxtyping writes them: `*spatial` stands for any
number of axes, (y, x) of a picture or (z, y, x) of a volume. `tests/axes.py` reads these texts and
holds arrays against them wherever the rooms of the house hand arrays to each other.

Where an axis has no name of its own in a signature, the docstring says what it is; dense code uses
the letters n input, c channel, w window, s draw, t target, k weighted sum.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Any axes, in double precision: means, evidence and errors are."""

Integers = NDArray[np.int64]
"""Any axes: numbers of windows, places in arrays."""

Pixels = Annotated[NDArray[np.float32], "channel *spatial"]
"""One input in input space: [0, 1] RGB for pictures, the scan's own units for volumes."""

Batch = Annotated[NDArray[np.float32], "n channel *spatial"]
"""Several inputs."""

Predictions = Annotated[Floats, "n class"]
"""What a model says of several inputs."""

Corners = Annotated[Integers, "window dimension"]
"""The first pixel or voxel of each window, along each spatial axis."""

Draws = Annotated[NDArray[np.float32], "window draw channel *size"]
"""What stands in hidden windows instead."""

Values = Annotated[Floats, "window draw target"]
"""What an engine makes of draws."""

PerTarget = Annotated[Floats, "target"]
"""One number for each target."""

Evidence = Annotated[Floats, "target window"]
"""Evidence of windows for targets, or its standard error."""

Relevance = Annotated[Floats, "target *spatial"]
"""Maps over an input, one for each target."""

Mask = Annotated[NDArray[np.bool_], "*spatial"]
"""True where it matters."""
