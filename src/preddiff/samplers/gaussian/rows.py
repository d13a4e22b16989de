"""RowGaussian: for rows of a table, a normal over all features, given those that are visible."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.samplers.files import Contents
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.covariance import solve, square_root
from preddiff.samplers.gaussian.row_sampler import Hidden, Row, RowSampler
from preddiff.samplers.pool import check_numbers, names_of
from preddiff.types import Floats


class RowGaussian(RowSampler):
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
        made = cls(values.mean(axis=0), np.cov(values, rowvar=False).reshape(2 * values.shape[1:]))
        made.feature_names = names_of(table)
        return made

    @property
    def sha256(self) -> str:
        """Fingerprint of the mean and the covariance."""
        return fingerprint(mean=self.mean, covariance=self.covariance)

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return len(self.mean)

    def draw_hidden(
        self, row: Row, hidden: Hidden, samples: int, generator: np.random.Generator
    ) -> Annotated[Floats, "draw hidden"]:
        """Return draws of hidden features, given the others of the row."""
        rest = np.setdiff1d(np.arange(len(row)), hidden)
        across = self.covariance[np.ix_(rest, hidden)]
        gain = solve(self.covariance[np.ix_(rest, rest)], across).T
        mean = self.mean[hidden] + gain @ (row[rest] - self.mean[rest])
        factor = square_root(self.covariance[np.ix_(hidden, hidden)] - gain @ across)
        noise = generator.standard_normal((samples, len(hidden)))
        return np.asarray(mean + noise @ factor.T)

    def contents(self) -> Contents:
        """Return the mean and the covariance."""
        return Contents(self.kind, {"mean": self.mean, "covariance": self.covariance}, {})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        return cls(contents.numbers("mean", 1), contents.numbers("covariance", 2))
