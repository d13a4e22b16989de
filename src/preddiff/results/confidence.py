"""When there is no error."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray


def are_exact(errors: Annotated[NDArray[np.floating], "..."]) -> bool:
    """Return whether standard errors say that relevance is exact: all known ones are 0.

    NaN, where no window covers a pixel or windows had one draw, says nothing; errors that are all
    NaN are unknown, not exact.
    """
    known = errors[np.isfinite(errors)]
    return bool(known.size and not known.any())
