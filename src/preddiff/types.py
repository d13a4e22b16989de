"""Aliases of arrays that say what each axis is.

The text of an alias names the axes in order, much as jaxtyping writes them: a name stands for one
axis, `*spatial` for any number of axes that have a name together, (y, x) of a picture or (z, y, x)
of a volume, and `...` for any axes at all. Within one call, a name means one length, unless it
begins with an underscore.
`tests/axes.py` reads these texts, and `tests/integration/test_axes.py` holds real arrays against
them wherever the rooms of the package hand arrays to each other.

An alias that only one room needs is defined in that room, in the same way. Dense code uses the
letters n input, c channel, w window, s draw, t target, k weighted sum.
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

# Element types. Predictions are float32 inside networks; means, odds and sums over windows are
# float64: differences of nearly equal numbers are taken of them.

Floats = NDArray[np.float64]
"""Double precision, axes said elsewhere: a building block of the aliases below."""

Integers = NDArray[np.int64]
"""Integers, axes said elsewhere: a building block of the aliases below."""

AnyShape = Annotated[Floats, "..."]
"""Any axes: of functions that work element by element, with numpy's broadcasting."""

# Inputs and what a model makes of them.

Signals = Annotated[NDArray[np.float32], "channel time"]
"""Channels over time."""

Pixels = Annotated[NDArray[np.float32], "channel *spatial"]
"""One input in input space: [0, 1] RGB for pictures, the scan's own units for volumes."""

Batch = Annotated[NDArray[np.float32], "n channel *spatial"]
"""Several inputs."""

PerChannel = Annotated[Floats, "channel"]
"""One number for each channel: a colour."""

Predictions = Annotated[Floats, "n class"]
"""Values that a model returns for several inputs: of its classes, or of a node's units."""

Mask = Annotated[NDArray[np.bool_], "*spatial"]
"""True at the pixels or voxels that are of interest."""

Labels = Annotated[Integers, "*spatial"]
"""Number of the region that each pixel or voxel belongs to; 0 where there is none."""

# Windows.

Corners = Annotated[Integers, "window dimension"]
"""The first pixel or voxel of each window along each spatial axis."""

WindowNumbers = Annotated[Integers, "window"]
"""One integer for each window: its index among all windows, its rank, a count."""

PerWindow = Annotated[Floats, "window"]
"""One number for each window."""

Draws = Annotated[NDArray[np.float32], "window draw channel *size"]
"""What replaces hidden windows."""

WindowPixels = Annotated[NDArray[np.float32], "window channel *size"]
"""Pixels or voxels of each window: a single draw, or the input's own."""

Values = Annotated[Floats, "window draw target"]
"""What an engine returns for draws."""

# Results.

PerTarget = Annotated[Floats, "target"]
"""One number for each target."""

Evidence = Annotated[Floats, "target window"]
"""Evidence of windows for targets, its standard error, or expected values with windows hidden."""

Relevance = Annotated[Floats, "target *spatial"]
"""Maps over an input, one for each target."""

Coverage = Annotated[Integers, "*spatial"]
"""Number of windows that cover each pixel or voxel."""

Setting = Any
"""A value of a setting that is handed on by its name."""
