"""RowGaussian: for rows of a table, a normal over all features, given those that are visible."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import ValidRange
from preddiff.samplers.files import Contents, Stored
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.covariance import solve, square_root
from preddiff.samplers.pool import check_numbers
from preddiff.samplers.streams import window_generator
from preddiff.types import Draws, Floats, Pixels


class RowGaussian(Stored):
    """Draws features of a row from a normal, given all others.

    What can be told from other features is then not lost where one is hidden, which the marginal
    distribution does not see.

    Parameters
    ----------
    mean : (feature,).
    covariance : (feature, feature).

    Raises
    ------
    SamplerError
        If the shapes do not fit, or values are not finite.
    """

    kind = "rows"
    stands_in = "what a feature could plausibly be, given all others"

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        self.mean: Annotated[Floats, "feature"] = np.asarray(mean, dtype=np.float64)
        self.covariance: Annotated[Floats, "feature feature"] = np.asarray(
            covariance, dtype=np.float64
        )
        n = len(self.mean) if self.mean.ndim == 1 else -1
        if self.covariance.shape != (n, n) or not np.isfinite(self.covariance).all():
            raise SamplerError(
                f"a mean of shape {self.mean.shape} and a covariance of shape "
                f"{self.covariance.shape}: expected (n,) and (n, n), finite"
            )

    @classmethod
    def fit(cls, table: ArrayLike) -> Self:
        """Estimate the normal from a table.

        Parameters
        ----------
        table : (row, feature), such as what the model was trained on.

        Raises
        ------
        SamplerError
            If there are no more rows than features, or values are not finite.
        """
        check_numbers("table", table)
        values = np.asarray(table, dtype=np.float64)
        if values.ndim != 2 or len(values) <= values.shape[1] or not np.isfinite(values).all():
            raise SamplerError(
                f"a table of shape {values.shape}: expected more rows than features, all finite"
            )
        return cls(values.mean(axis=0), np.cov(values, rowvar=False).reshape(2 * values.shape[1:]))

    @property
    def sha256(self) -> str:
        """Fingerprint of the mean and the covariance."""
        return fingerprint(mean=self.mean, covariance=self.covariance)

    def check(
        self,
        inputs: Pixels,
        windows: Windows,  # noqa: ARG002
        valid: ValidRange | None,  # noqa: ARG002
    ) -> None:
        """Raise a SamplerError if the input is no row of as many features."""
        if inputs.shape != (1, len(self.mean)):
            raise SamplerError(
                f"the sampler is of rows of {len(self.mean)} features, this input has shape "
                f"{inputs.shape}"
            )

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return draws of the features in each window, given all that are in none of it."""
        draws = np.empty((len(windows), samples, 1, *windows.size), dtype=np.float32)
        row = inputs[0].astype(np.float64)
        for n, (number, (start,)) in enumerate(zip(windows.numbers, windows.starts, strict=True)):
            hidden = np.arange(start, start + windows.size[0])
            rest = np.setdiff1d(np.arange(len(row)), hidden)
            across = self.covariance[np.ix_(rest, hidden)]
            gain = solve(self.covariance[np.ix_(rest, rest)], across).T
            mean = self.mean[hidden] + gain @ (row[rest] - self.mean[rest])
            factor = square_root(self.covariance[np.ix_(hidden, hidden)] - gain @ across)
            noise = window_generator(seed, int(number)).standard_normal((samples, len(hidden)))
            draws[n, :, 0] = mean + noise @ factor.T
        return draws

    def contents(self) -> Contents:
        """Return the mean and the covariance."""
        return Contents(self.kind, {"mean": self.mean, "covariance": self.covariance}, {})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        return cls(contents.numbers("mean", 1), contents.numbers("covariance", 2))
