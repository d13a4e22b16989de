"""Signals: channels over time, which an array of two axes says by being called one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import InputError
from preddiff.types import Signals


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal to explain, such as an ECG or a sound: `explain(model, Signal(values), ...)`.

    Attributes
    ----------
    values : (channel, time).
    """

    values: ArrayLike

    @property
    def checked(self) -> Signals:
        """The values as floats.

        Raises
        ------
        InputError
            If they are no finite numbers of such a shape.
        """
        given = self.values.detach().cpu() if hasattr(self.values, "detach") else self.values
        values = np.asarray(given)
        if values.ndim != 2 or values.dtype.kind not in "fiub" or not np.isfinite(values).all():
            raise InputError(
                f"a signal of {values.dtype} and shape {values.shape}: expected finite numbers "
                "(channel, time); one channel is values[None]"
            )
        return np.array(values, dtype=np.float32, order="C")
