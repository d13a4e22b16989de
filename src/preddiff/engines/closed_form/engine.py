"""The closed form: expectations of a linear or logistic model without a draw.

The logits of a linear model are weighted sums of the input. With the window w hidden, logit k is

    z_k = b_k + v_k · x + v_(k,w) · (X_w - x_w),     X_w what a draw puts there,

so all that a sampler has to tell is the law of a few sums. If X_w is normal given its surroundings,
these sums are normal: the mean over all draws is an integral over as many dimensions as there are
sums, whatever the size of the window (`quadrature.py`).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from preddiff.engines.base import NAME_IN_PROVENANCE
from preddiff.engines.closed_form.quadrature import expected_softmax
from preddiff.method.evidence import complements
from preddiff.method.windows import Windows
from preddiff.models.linear import Linear
from preddiff.samplers.base import LikelyNormals, Normals, Weights
from preddiff.types import Evidence, Floats, Pixels

Project = Callable[[Weights, Pixels, Windows], Iterator[Normals | LikelyNormals]]
"""Weights (k, channel, *spatial), input, windows → normals of what the k weighted sums change by:
means (k, window), covariances (k, k, window), and how likely, unless all are equally likely."""

_NUMBERS_PER_WINDOW = 64  # float64 that a window takes besides those of its sums


class ClosedForm:
    """An engine that gives the mean of a linear model's targets over all possible draws.

    Parameters
    ----------
    inputs : (channel, *spatial).
    targets : classes (~k for 1 - p of class k), or logits if `node` says so.
    project : of the sampler.
    memory : bytes that it may take, about.
    """

    name = NAME_IN_PROVENANCE["linear"]

    def __init__(
        self,
        model: Linear,
        inputs: Pixels,
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
        if node is None:
            # A softmax knows differences of logits only: with the first one at 0, there is one
            # dimension less to integrate over, and for two classes only one is left.
            weights, intercept = weights[1:] - weights[0], intercept[1:] - intercept[0]
        self.weights = weights
        flat = inputs.reshape(-1).astype(np.float64)
        self.logits = weights.reshape(len(weights), -1) @ flat + intercept
        self.base = model.predict(inputs[None], node)[0]

    def expect(self, windows: Windows) -> tuple[Evidence, Evidence]:
        """Return the mean of the targets over all draws, and its standard error.

        Both are (target, window). The error is 0, unless `expected_softmax` had to take draws.
        Windows without weight keep the value on the unperturbed input to the last digit: most
        windows of a masked scan, for which nothing has to be computed.
        """
        mean, error = np.zeros((2, len(self.targets), len(windows)))
        mean += self._both(self.base)[self.targets, None]
        weighted = self.weights.any(axis=(0, 1)).astype(float)
        held = np.flatnonzero(windows.sums(weighted[None])[0])
        numbers = _NUMBERS_PER_WINDOW + 8 * len(self.weights) ** 2
        several = max(1, self.memory // (8 * numbers))
        for first in range(0, len(held), several):
            some = held[first : first + several]
            means, errors = self._expect(windows.subset(some))
            mean[:, some], error[:, some] = means[self.targets], errors[self.targets]
        return mean, error

    def _expect(self, windows: Windows) -> tuple[Evidence, Evidence]:
        """Return the same for all classes and their complements, for windows with weight.

        A pool's draws are as many normals without spread as it has members; the mean is that of
        their means, by how likely each is, and errors add up in squares.
        """
        totals, squares = np.zeros((2, len(self.base), len(windows)))
        likely = np.zeros(len(windows))
        for mean, covariance, *chances in self.project(self.weights, self.inputs, windows):
            chance = chances[0] if chances else np.ones(len(windows))
            logits = mean + self.logits[:, None]
            if self.node is None:
                p, error = expected_softmax(logits, covariance, windows.numbers)
            else:  # the mean of a logit is the logit of the mean
                p, error = logits, np.zeros_like(logits)
            totals += chance * p
            squares += (chance * error) ** 2
            likely += chance
        errors = np.sqrt(squares) / likely
        return self._both(totals / likely), np.concatenate([errors, errors[::-1]])

    def _both(self, values: Floats) -> Floats:
        """Return values (class, ...) and below them, in reverse, 1 - p of each."""
        rows = values.reshape(len(values), -1).T
        return np.concatenate([values, complements(rows).T[::-1].reshape(values.shape)])
