"""Aliases of arrays by what they hold. The axes of each stand in the docstring that uses it.

Axis names everywhere: c channel, z, y, x place, n input, w window, s draw, t target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Means, evidence and its errors: what is computed in double precision."""

Inputs = NDArray[np.float32]
"""What a network sees or a sampler draws: (c, *spatial), or more axes before these."""

Integers = NDArray[np.int64]
"""Numbers and corners of windows."""

Mask = NDArray[np.bool_]
"""True where it matters."""

Numbers = NDArray[np.floating[Any]]
"""Floats of any precision."""
