"""Covariates of scans, such as site and age, whose linear effect on voxels is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from preddiff.classify.voxels import VoxelValues
from preddiff.errors import InputError, SettingError
from preddiff.types import Floats, Integers

Design = Annotated[Floats, "scan regressor"]
"""Covariates as numbers: a number as it is, a category as one column for each of its values."""

_NOTHING_LEFT = 1e-8


@dataclass(frozen=True)
class Covariate:
    """A column of a study's table.

    Attributes
    ----------
    name : of the column.
    values : one for each scan.
    is_category : whether its values are names, even if they look like numbers (codes of sites).
    """

    name: str
    values: tuple[str, ...]
    is_category: bool = False

    def of(self, rows: Sequence[int]) -> Covariate:
        """Return the covariate of some scans."""
        return Covariate(self.name, tuple(self.values[row] for row in rows), self.is_category)


def design(covariates: Sequence[Covariate], labels: Sequence[str]) -> Design:
    """Return covariates as numbers.

    Raises
    ------
    InputError
        If a column holds numbers and texts.
    SettingError
        If the covariates tell the groups, or all scans, apart by themselves.
    """
    from sklearn.linear_model import LinearRegression

    columns = np.hstack([_columns(covariate) for covariate in covariates])
    groups = np.array(
        [[label == group for group in sorted(set(labels))] for label in labels], float
    )
    regression = LinearRegression().fit(columns, groups)
    names = ", ".join(covariate.name for covariate in covariates)
    if np.abs(groups - regression.predict(columns)).max() < _NOTHING_LEFT:
        raise SettingError(
            f"covariates {names} tell the groups apart by themselves: nothing of the groups is "
            "left when they are regressed out; expected every site to have scans of several groups"
        )
    return columns


def by_name(covariates: Sequence[Covariate]) -> dict[str, Floats]:
    """Return numbers (scan,) by name: of a category, COLUMN=VALUE for each value but the first.

    Raises
    ------
    InputError
        If a column holds numbers and texts.
    """
    columns: dict[str, Floats] = {}
    for covariate in covariates:
        if _is_of_names(covariate):
            for value in sorted(set(covariate.values))[1:]:
                is_it = np.array(covariate.values) == value
                columns[f"{covariate.name}={value}"] = is_it.astype(np.float64)
        else:
            columns[covariate.name] = np.array(covariate.values, dtype=np.float64)
    return columns


def regressed_out(
    values: VoxelValues, columns: Design | None, fitted: Integers
) -> Floats | VoxelValues:
    """Return values without what covariates explain of them in the scans that are fitted.

    Parameters
    ----------
    columns : of all scans; None takes nothing out.
    fitted : rows of the scans on which the regression is fitted; those that are held out must not
        take part, or they would leak into the classifier that they judge.
    """
    if columns is None:
        return values
    from sklearn.linear_model import LinearRegression

    regression = LinearRegression().fit(columns[fitted], values[fitted].astype(np.float64))
    explained = (columns - columns[fitted].mean(axis=0)) @ regression.coef_.reshape(
        -1, columns.shape[1]
    ).T
    return np.asarray(values - explained)


def _columns(covariate: Covariate) -> Design:
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = np.array(covariate.values)[:, None]
    if _is_of_names(covariate):
        return np.asarray(OneHotEncoder(sparse_output=False).fit_transform(texts), np.float64)
    return np.asarray(StandardScaler().fit_transform(texts.astype(np.float64)), np.float64)


def _is_of_names(covariate: Covariate) -> bool:
    """Whether its values are categories; an InputError if some are, and others are numbers."""
    others = [] if covariate.is_category else [v for v in covariate.values if not _is_number(v)]
    if covariate.is_category or len(others) == len(covariate.values):
        return True
    if others:  # one typing error must not turn ages into categories
        raise InputError(
            f"column {covariate.name!r}: {others[0]!r} is no finite number, as others are: "
            "expected numbers only, or texts only; correct the table"
        )
    return False


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
