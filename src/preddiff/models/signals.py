"""A model of signals (n, channel, time), which are taken as they are."""

from preddiff.models.asking import Asking
from preddiff.types import Batch, Pixels, Predictions


class OfSignals(Asking):
    """A model that gets signals as people have them.

    Parameters
    ----------
    model : takes (n, channel, time).
    """

    def prepare(self, image: object) -> Pixels:
        """Return a signal, which is taken as it is."""
        return image  # type: ignore[return-value]

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return the values of many signals, (n, K)."""
        return self.model.predict(inputs, node)

    def both_sides(self, inputs: Batch) -> Predictions:
        """Return class probabilities p, and 1 - p of each with all its digits, (n, 2 K)."""
        return self.model.both_sides(inputs)

    def unsquashed(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return values before a softmax or sigmoid, where they are known; else those after it."""
        return self.model.unsquashed(inputs, node)

    def is_probability(self, node: str | None) -> bool:
        """Return whether the values are probabilities."""
        return self.model.is_probability(node)
