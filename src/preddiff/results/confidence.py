"""How many standard errors make an interval, and when there is no error."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

INTERVAL = 1.96
"""Standard errors on either side of an estimate that hold the true value in 95 of 100 cases.

The 97.5 % quantile of the standard normal: a pixel averages over many windows with draws of their
own, so its error is close to normal by the central limit theorem.
"""


def are_exact(errors: Annotated[NDArray[np.floating], "..."]) -> bool:
    """Return whether standard errors say that relevance is exact: all known ones are 0.

    NaN, where no window covers a pixel or windows had one draw, says nothing; errors that are all
    NaN are unknown, not exact.
    """
    known = errors[np.isfinite(errors)]
    return bool(known.size and not known.any())
