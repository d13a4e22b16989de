"""The few windows on which engines are checked and timed before a run."""

import itertools

import numpy as np

from preddiff.method.windows import Windows


def probe(windows: Windows, count: int) -> Windows:
    """Return the first window, the last one, and one from each of the parts of equal size between.

    Both ends of the order are among them, so two opposite corners of the input are tried as well:
    that is where boxes are cut off by the border, and where mistakes would show first. Where there
    are fewer windows than `count`, some come more than once.
    """
    parts = np.arange(count) + np.random.default_rng(0).random(count)
    chosen = (parts * (len(windows) / count)).astype(np.int64)
    # At equal steps they would all lie in one column of some grids, such as that at the border,
    # where boxes are small: every 16th window of 224 pixels seemed 1.7 times faster than it was.
    chosen[0], chosen[-1] = 0, len(windows) - 1
    return windows.subset(chosen)


_RANDOM = 3  # windows more, anywhere


def everywhere(windows: Windows, seed: int) -> Windows:
    """Return a few windows from all over: corners, the middles of borders, the centre, any others.

    Where a mistake shows depends on the mistake: boxes are cut off at borders, a network may treat
    a part of the picture as no other. With a mask they are those that come closest.

    Parameters
    ----------
    seed : of the choice of the others.
    """
    starts = windows.starts
    low, high = starts.min(axis=0), starts.max(axis=0)
    count = len(low)
    shares = np.array(
        [
            point
            for point in itertools.product((0.0, 0.5, 1.0), repeat=count)
            if point.count(0.5) in {0, count - 1, count}
        ]
    )
    wanted = low + shares * (high - low)
    nearest = [int(np.abs(starts - point).sum(axis=1).argmin()) for point in wanted]
    others = np.random.default_rng(seed).integers(len(starts), size=_RANDOM)
    return windows.subset(np.unique([*nearest, *others]))
