"""The closed form: expectations of a linear or logistic model without a draw.

The logits of a linear model are weighted sums of the input. Where a sampler tells the law of such
sums, the mean over all its draws is an integral over a few numbers (`quadrature.py`).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.base import NAME_IN_PROVENANCE
from preddiff.engines.closed_form.quadrature import expected_softmax
from preddiff.method.windows import Windows
from preddiff.models.linear import Linear

Floats = NDArray[np.float64]
Project = Callable[[Floats, NDArray[np.float32], Windows], Iterator[tuple[Floats, Floats]]]
"""Weights (k, channel, *spatial), input, windows → equally likely normals of what the k weighted
sums change by: means (k, window) and covariances (k, k, window)."""

_NUMBERS = 64  # float64 that a window takes besides those of its sums


class ClosedForm:
    """Mean of a linear model's targets over all that a sampler could draw.

    Parameters
    ----------
    inputs : (channel, *spatial).
    targets : classes, or logits if `node` says so.
    project : of the sampler.
    memory : bytes that it may take, about.
    """

    name = NAME_IN_PROVENANCE["linear"]

    def __init__(
        self,
        model: Linear,
        inputs: NDArray[np.float32],
        targets: Sequence[int],
        node: str | None,
        project: Project,
        memory: int,
    ) -> None:
        self.inputs = inputs
        self.targets = list(targets)
        self.node = node
        self.project = project
        self.memory = memory
        weights, intercept = model.per_class(inputs.shape)
        if node is None:  # a softmax knows differences only
            weights, intercept = weights[1:] - weights[0], intercept[1:] - intercept[0]
        self.weights = weights
        flat = inputs.reshape(-1).astype(np.float64)
        self.logits = weights.reshape(len(weights), -1) @ flat + intercept
        self.base = model.predict(inputs[None], node)[0]

    def expect(self, windows: Windows) -> tuple[Floats, Floats]:
        """Mean of the targets over all draws, and its standard error, both (target, window).

        The error is 0, unless `expected_softmax` had to take draws. Windows without weight keep
        the value on the unperturbed input to the last digit.
        """
        mean, error = np.zeros((2, len(self.targets), len(windows)))
        mean += self.base[self.targets, None]
        held = np.flatnonzero(windows.sums(self.weights.any(axis=(0, 1)).astype(float)[None])[0])
        several = max(1, self.memory // (8 * (_NUMBERS + 8 * len(self.weights) ** 2)))
        for first in range(0, len(held), several):
            some = held[first : first + several]
            means, errors = self._expect(windows.subset(some))
            mean[:, some], error[:, some] = means[self.targets], errors[self.targets]
        return mean, error

    def _expect(self, windows: Windows) -> tuple[Floats, Floats]:
        """The same of all classes, for windows with weight."""
        totals, squares = np.zeros((2, len(self.base), len(windows)))
        laws = 0
        for mean, covariance in self.project(self.weights, self.inputs, windows):
            logits = mean + self.logits[:, None]
            if self.node is None:
                p, error = expected_softmax(logits, covariance, windows.numbers)
            else:
                p, error = logits, np.zeros_like(logits)
            totals += p
            squares += error**2
            laws += 1
        return totals / laws, np.sqrt(squares) / laws
