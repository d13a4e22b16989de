"""Projection: the distribution of weighted sums over an input when a window is drawn anew.

A logit of a linear model is v · x + b. With window w drawn anew it changes by the sum over w of
v · (X_w - x_w), so that all a closed form has to know of a sampler is how a few such sums are
distributed: `Sampler.project`.
"""

from typing import Annotated

import numpy as np

from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals, Weights
from preddiff.types import Floats


def of_certain_draw(
    weights: Weights, change: Annotated[Floats, "channel *spatial"], windows: Windows
) -> Normals:
    """Return the normals of weighted sums where a draw is certain: without spread.

    Parameters
    ----------
    change : (channel, *spatial), by which a draw differs from the input wherever its window is.
    """
    # Summed over channels first, then over each window by one box filter for all windows together.
    mean = windows.sums(np.sum(weights * change, axis=1))
    return mean, np.broadcast_to(0.0, (len(weights), *mean.shape))
