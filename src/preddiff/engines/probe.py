"""The few windows on which engines are checked and timed before a run."""

import numpy as np

from preddiff.method.windows import Windows


def probe(windows: Windows, count: int) -> Windows:
    """Return `count` windows at equal steps from the first to the last one.

    Both ends of the order are among them, so two opposite corners of the input are tried as well:
    that is where boxes are cut off by the border, and where mistakes would show first. Where there
    are fewer windows than `count`, some come more than once.
    """
    return windows.subset(np.linspace(0, len(windows) - 1, count).astype(np.int64))
