"""Any callable as a model."""

from collections.abc import Callable, Sequence
from typing import Literal

from preddiff.errors import ModelError, PreddiffError, first_line
from preddiff.models.base import Model, checked_values
from preddiff.models.request import VALUE_UNIT
from preddiff.types import Batch, Predictions


class Function(Model):
    """A callable that gets float32 (n, channel, *spatial) and returns numbers (n, K).

    Parameters
    ----------
    call : the callable; it may return numpy or torch.
    output : what it returns: "probabilities", or plain "values", as of a regression, of which (n,)
        is one for each input.
    labels, train_size : as in `Model`.
    """

    def __init__(
        self,
        call: Callable[[Batch], object],
        *,
        output: Literal["probabilities", "values"] = "probabilities",
        labels: Sequence[str] | None = None,
        train_size: float | None = None,
    ) -> None:
        self.call = call
        self.value_unit = VALUE_UNIT if output == "values" else None
        self.labels = labels
        self.train_size = train_size
        name = getattr(call, "__qualname__", type(call).__qualname__)
        self.spec = f"callable:{getattr(call, '__module__', '?')}.{name}"

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities, or values, (n, K); there are no nodes."""
        self._refuse_node(node)
        try:
            values = self.call(inputs.copy())  # it may change its argument, which draws share
        except PreddiffError:
            raise
        except Exception as error:
            raise ModelError(
                f"{self.spec} raised {type(error).__name__} ({first_line(error)}); it gets a "
                f"float32 numpy array (n, channel, *spatial), here {inputs.shape}"
            ) from error
        if self.value_unit is not None and len(getattr(values, "shape", ())) == 1:
            values = values[:, None]  # type: ignore[index]
        return checked_values(values, len(inputs), self.spec)
