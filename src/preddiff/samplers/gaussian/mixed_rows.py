"""RowMixed: for rows of numbers and categories, each given all that is visible of the others."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import ValidRange
from preddiff.samplers.files import Contents
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.covariance import solve, square_root
from preddiff.samplers.gaussian.row_sampler import Hidden, Row, RowSampler
from preddiff.samplers.pool import check_numbers, names_of
from preddiff.types import Floats, Integers, Pixels

Codes = Annotated[Integers, "row category"]
"""Categories of rows by number, one column for each categorical feature."""
Numbers = Annotated[Floats, "row number"]
"""Values of rows, one column for each feature that is a number."""

_MISMATCHES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # that `fit` chooses from
_ROWS_COMPARED = 1000  # each with all others, to choose


class RowMixed(RowSampler):
    """Draws numbers and categories of a row, given all its other features.

    The general location model (Olkin & Tate, 1961): the numbers are normal with one covariance, and
    their mean is a sum of an effect of each category. Hidden categories are those of a row of the
    table. Rows that differ from the visible categories count less (Aitchison & Aitken, 1976), and
    each counts as much as it makes the visible numbers likely. Hidden numbers come from the normal,
    given the visible numbers and all categories.

    Parameters
    ----------
    table : (row, feature), numbers; categories by number, such as `model.columns.encode` gives.
    categorical : positions of the features that are categories, e.g. `model.columns.categorical`.
    mismatch : in (0, 1], how much a row counts for each visible category in which it differs; 1
        ignores visible categories.

    Raises
    ------
    SamplerError
        If there are too few rows, values are not finite, or categories are no whole numbers.
    """

    kind = "mixed rows"

    def __init__(self, table: ArrayLike, categorical: Sequence[int], mismatch: float) -> None:
        self.feature_names = names_of(table)
        check_numbers("table", table)
        self.table: Annotated[Floats, "row feature"] = np.asarray(table, dtype=np.float64)
        if self.table.ndim != 2 or not np.isfinite(self.table).all():
            raise SamplerError(f"a table of shape {self.table.shape}: expected rows of numbers")
        features = self.table.shape[1]
        if any(isinstance(each, str) or not 0 <= each < features for each in categorical):
            raise SamplerError(
                f"categorical={list(categorical)}: expected positions from 0 to {features - 1}"
            )
        self.categorical = sorted(set(categorical))
        if not 0 < mismatch <= 1:
            raise SamplerError(f"mismatch={mismatch}: expected a weight in (0, 1]")
        self.mismatch = float(mismatch)
        self._numeric = np.setdiff1d(np.arange(features), self.categorical)
        self._codes: Codes = _codes(self.table[:, self.categorical])
        self._levels = [int(column.max()) + 1 for column in self._codes.T]
        self._effects, self._covariance = self._regression()

    @classmethod
    def fit(cls, table: ArrayLike, categorical: Sequence[int]) -> Self:
        """Return the sampler whose mismatch foretells categories of the table best.

        Of up to 1,000 rows, each category is foretold from the row's other categories by all other
        rows; the mismatch of the largest likelihood is taken.

        Parameters
        ----------
        table, categorical : as of the class.

        Raises
        ------
        SamplerError
            As the class does.
        """
        codes = cls(table, categorical, 1.0)._codes
        compared = min(len(codes), _ROWS_COMPARED)
        # Not at equal steps: a table may have its groups in turns.
        codes = np.random.default_rng(0).choice(codes, compared, replace=False)
        likelihoods = [_left_out(codes, each) for each in _MISMATCHES]
        return cls(table, categorical, _MISMATCHES[int(np.argmax(likelihoods))])

    @property
    def sha256(self) -> str:
        """Fingerprint of the table and the settings."""
        return fingerprint(
            table=self.table,
            categorical=np.array(self.categorical, dtype=np.int64),
            mismatch=self.mismatch,
        )

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return int(self.table.shape[1])

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if the input is no row of such features and categories."""
        super().check(inputs, windows, valid)
        codes = _codes(inputs[:, self.categorical].astype(np.float64))[0]
        for position, code, levels in zip(self.categorical, codes, self._levels, strict=True):
            if code >= levels:
                raise SamplerError(
                    f"feature {position} is category {code}: the table has 0 to {levels - 1}"
                )

    def draw_hidden(
        self, row: Row, hidden: Hidden, samples: int, generator: np.random.Generator
    ) -> Annotated[Floats, "draw hidden"]:
        """Return draws of hidden features, given the others of the row."""
        given = _codes(row[None, self.categorical])
        unknown = np.isin(self.categorical, hidden)
        codes = np.where(unknown, self._codes, given) if unknown.any() else given
        seen = ~np.isin(self._numeric, hidden)
        means = self._means(codes)
        off = (row[self._numeric] - means)[:, seen]
        chosen = np.zeros(samples, dtype=np.int64)
        if unknown.any():
            differ = (self._codes != given)[:, ~unknown].sum(axis=1)
            chances = self._chances(differ, off, self._covariance[np.ix_(seen, seen)])
            chosen = generator.choice(len(codes), size=samples, p=chances)
        across = self._covariance[np.ix_(seen, ~seen)]
        gain = solve(self._covariance[np.ix_(seen, seen)], across) if seen.any() else across
        factor = square_root(self._covariance[np.ix_(~seen, ~seen)] - across.T @ gain)
        noise = generator.standard_normal((samples, len(factor))) @ factor.T
        result = np.repeat(row[None], samples, axis=0)
        result[:, self.categorical] = codes[chosen]
        result[:, self._numeric[~seen]] = means[chosen][:, ~seen] + off[chosen] @ gain + noise
        return result[:, hidden]

    def _chances(
        self, differ: Integers, off: Numbers, covariance: Annotated[Floats, "seen seen"]
    ) -> Annotated[Floats, "row"]:
        """Return how likely the hidden categories are those of each row of the table.

        Parameters
        ----------
        differ : (row,), the number of visible categories in which it differs.
        off : (row, seen), the visible numbers minus their mean with the row's hidden categories.
        covariance : of the visible numbers.
        """
        # Bayes' rule: the share of the categories among rows like this one, times the normal
        # density of the visible numbers. Its factor without `off` is the same for all rows.
        logarithm = differ * np.log(self.mismatch)
        if off.shape[1]:
            logarithm = logarithm - 0.5 * (off.T * solve(covariance, off.T)).sum(axis=0)
        weights = np.exp(logarithm - logarithm.max())
        return np.asarray(weights / weights.sum())

    def _regression(self) -> tuple[Floats, Floats]:
        """Return effects (1 + all levels, number) and the covariance of what they leave."""
        design = self._design(self._codes)
        numbers = self.table[:, self._numeric]
        effects, _, rank, _ = np.linalg.lstsq(design, numbers, rcond=None)
        left = len(design) - int(rank)
        if left <= numbers.shape[1]:
            raise SamplerError(
                f"{len(design)} rows for {rank} effects of categories and {numbers.shape[1]} "
                "numbers: expected more rows than both together"
            )
        residuals = numbers - design @ effects
        return np.asarray(effects), np.asarray(residuals.T @ residuals / left)

    def _means(self, codes: Codes) -> Numbers:
        """Return the mean of the numbers, given categories."""
        return self._design(codes) @ self._effects

    def _design(self, codes: Codes) -> Annotated[Floats, "row effect"]:
        """Return a one, and an indicator of each level of each category."""
        indicators = [
            column[:, None] == np.arange(levels)
            for column, levels in zip(codes.T, self._levels, strict=True)
        ]
        return np.column_stack([np.ones(len(codes)), *indicators]).astype(np.float64)

    def contents(self) -> Contents:
        """Return the table, the positions of categories and the mismatch."""
        arrays = {"table": self.table, "categorical": np.array(self.categorical, dtype=np.int64)}
        return Contents(self.kind, arrays, {"mismatch": self.mismatch})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        categorical = contents.numbers("categorical", 1).astype(np.int64).tolist()
        return cls(contents.numbers("table", 2), categorical, float(contents.facts["mismatch"]))


def _codes(values: Annotated[Floats, "row category"]) -> Codes:
    """Return categories as whole numbers."""
    codes = np.rint(values).astype(np.int64)
    if (codes != values).any() or (codes < 0).any():
        raise SamplerError(
            "a category is no whole number of at least 0: expected categories by number, as "
            "model.columns.encode gives them"
        )
    return codes


def _left_out(codes: Codes, mismatch: float) -> float:
    """Return the log-likelihood of rows' categories, each foretold by all other rows."""
    differs = codes[:, None] != codes[None]
    number = differs.sum(axis=2)
    total = 0.0
    for differs_here in np.moveaxis(differs, 2, 0):
        weights = mismatch ** (number - differs_here)
        np.fill_diagonal(weights, 0.0)
        shares = (weights * ~differs_here).sum(axis=1) / weights.sum(axis=1)
        # A category that no other row has would count -infinity with every mismatch.
        total += float(np.log(np.maximum(shares, 1 / len(codes))).sum())
    return total
