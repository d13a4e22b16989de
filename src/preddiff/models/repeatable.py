"""One test before every run: a picture's values do not depend on luck, or on its company."""

import numpy as np

from preddiff.errors import ModelError
from preddiff.models.base import Model
from preddiff.types import Pixels, Predictions

# Batches are computed in another order than single pictures, which moves float32 values by 1e-6 of
# their range, and those in 16 bits by 1e-2. Statistics of a batch and dropout move them by as much
# as pictures differ, or some hundredths of that.


def check(model: Model, inputs: Pixels, node: str | None = None) -> None:
    """Raise a ModelError unless an input gives the same alone, again, and among others.

    Parameters
    ----------
    inputs : (channel, *spatial).

    Raises
    ------
    ModelError
        If predictions are random, or are made of all inputs of a batch together.
    """
    alone = model.unsquashed(inputs[None], node)
    again = model.unsquashed(inputs[None], node)
    axes = tuple(range(1, inputs.ndim))
    others = [inputs.max() + inputs.min() - inputs, np.flip(inputs, axes)]
    batch = np.stack([others[0], inputs, others[1]]).astype(inputs.dtype)
    together = model.unsquashed(batch, node)
    allowed = model.repeats_to * _range(np.concatenate([alone, together]))
    if not np.abs(again - alone).max() <= allowed:
        raise ModelError(
            f"{model.spec} gives other values each time ({_first(alone)} and {_first(again)} for "
            "one picture): expected the same; switch off what is random, such as dropout that is "
            "called as a function without training=self.training"
        )
    if not np.abs(together[1:2] - alone).max() <= allowed:
        raise ModelError(
            f"{model.spec} gives one picture other values in a batch ({_first(alone)} alone, "
            f"{_first(together[1:2])} among others): expected the same; normalise by running "
            "statistics, or by those of each picture"
        )


def _range(values: Predictions) -> float:
    """Return how far values are apart; of ones that are all alike, a share of what they are."""
    return max(float(np.ptp(values)), 0.1 * float(np.abs(values).max()))


def _first(values: Predictions) -> str:
    """Return the largest value of the first class, in short."""
    return f"{values[0, 0]:.4g}"
