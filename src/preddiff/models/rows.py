"""A model of rows of a table, (n, feature), as one of inputs (n, channel, feature)."""

from preddiff.models.asking import Asking
from preddiff.types import Batch, Pixels, Predictions


class OfRows(Asking):
    """A model that gets rows of numbers as people have them: without a channel.

    Parameters
    ----------
    model : takes (n, feature).
    """

    def prepare(self, image: object) -> Pixels:
        """Return a row, which is taken as it is."""
        return image  # type: ignore[return-value]

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:  # noqa: ARG002
        """Raise a ModelError if a category of the row is none of the table's."""
        if self.model.columns is not None:
            self.model.columns.check(inputs)

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return the values of many rows, (n, K)."""
        return self.model.predict(inputs[:, 0], node)

    def both_sides(self, inputs: Batch) -> Predictions:
        """Return class probabilities p, and 1 - p of each with all its digits, (n, 2 K)."""
        return self.model.both_sides(inputs[:, 0])

    def unsquashed(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return values before a softmax or sigmoid, where they are known; else those after it."""
        return self.model.unsquashed(inputs[:, 0], node)

    def is_probability(self, node: str | None) -> bool:
        """Return whether the values are probabilities."""
        return self.model.is_probability(node)
