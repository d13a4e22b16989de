"""Any callable as a model."""

from collections.abc import Callable, Sequence

from preddiff.errors import ModelError, first_line
from preddiff.models.base import Model, checked_values
from preddiff.types import Batch, Predictions


class Function(Model):
    """A callable that gets float32 (n, channel, *spatial) and returns probabilities (n, K).

    Parameters
    ----------
    call : the callable; it may return numpy or torch.
    labels, train_size : as in `Model`.
    """

    def __init__(
        self,
        call: Callable[[Batch], object],
        *,
        labels: Sequence[str] | None = None,
        train_size: float | None = None,
    ) -> None:
        self.call = call
        self.labels = labels
        self.train_size = train_size
        name = getattr(call, "__qualname__", type(call).__qualname__)
        self.spec = f"callable:{getattr(call, '__module__', '?')}.{name}"

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities (n, K); there are no nodes."""
        self._refuse_node(node)
        try:
            values = self.call(inputs.copy())  # it may change its argument, which draws share
        except Exception as error:
            raise ModelError(
                f"{self.spec} raised {type(error).__name__} ({first_line(error)}); it gets a "
                f"float32 numpy array (n, channel, *spatial), here {inputs.shape}"
            ) from error
        return checked_values(values, len(inputs), self.spec)
