"""Windows of which a part is visible: draws of the whole become draws of the hidden part.

Axis names: w value in the window, h hidden, v visible.
"""

from typing import Annotated

import numpy as np

from preddiff.method.windows import box
from preddiff.samplers.gaussian.covariance import solve
from preddiff.types import Floats, Integers, Mask, Pixels


class HiddenPart:
    """The hidden part of windows, given what is visible in them.

    Of a normal (h, v) with the covariance C, if y is a draw of both,

        y_h + C_hv · C_vv⁻¹ · (x_v - y_v)

    is a draw of h given v = x_v (conditioning by kriging: Journel, Economic Geology 69, 1974). One
    system as small as what is visible is solved, and the noise is that of the whole window: what is
    hidden beside it changes the draws as little as it can.

    Parameters
    ----------
    hidden : (*spatial).
    """

    def __init__(self, hidden: Mask) -> None:
        self.hidden = hidden
        # Several draws of a window, one after the other, have the same gain C_hv · C_vv⁻¹.
        self._gains: dict[bytes, tuple[Integers, Integers, Floats]] = {}

    def distance(
        self,
        mean: Annotated[Floats, "w"],
        covariance: Annotated[Floats, "w w"],
        inputs: Pixels,
        start: Annotated[Integers, "dimension"],
        size: tuple[int, ...],
    ) -> tuple[float, int, float]:
        """Return how far what is visible in a window is from its mean, and how much it is.

        The first is the squared Mahalanobis distance, the second a number of values, the third
        ln √|covariance| of these.

        Parameters
        ----------
        mean, covariance : of the window's values, given the rest of its patch.
        start, size : where the window is.
        """
        part = box(start, size)
        every = np.broadcast_to(~self.hidden[part], (len(inputs), *size)).reshape(-1)
        v = np.flatnonzero(every)
        if len(v) == 0:
            return 0.0, 0, 0.0
        deviation = inputs[:, *part].reshape(-1)[v] - mean[v]
        own = covariance[np.ix_(v, v)]
        log_volume = float(np.linalg.slogdet(own)[1] / 2)
        return float(deviation @ solve(own, deviation)), len(v), log_volume

    def give_visible(
        self,
        draws: Annotated[Floats, "draw w"],
        covariance: Annotated[Floats, "w w"],
        inputs: Pixels,
        start: Annotated[Integers, "dimension"],
        size: tuple[int, ...],
    ) -> None:
        """Turn draws of a whole window into draws of its hidden part, in place.

        Parameters
        ----------
        covariance : of the window's values, given the rest of its patch.
        start, size : where the window is.
        """
        part = box(start, size)
        inside = self.hidden[part]
        if inside.all() or not inside.any():
            return
        key = start.tobytes()
        if key not in self._gains:
            every = np.broadcast_to(inside, (len(inputs), *size)).reshape(-1)
            h, v = np.flatnonzero(every), np.flatnonzero(~every)
            across = covariance[np.ix_(v, h)]
            self._gains[key] = h, v, solve(covariance[np.ix_(v, v)], across)
        h, v, gain = self._gains[key]
        values = inputs[:, *part].reshape(-1)
        draws[:, h] += (values[v] - draws[:, v]) @ gain
