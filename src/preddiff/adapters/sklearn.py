"""An inspection of estimators on rows of a table, as `sklearn.inspection` has them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from preddiff.errors import SettingError
from preddiff.models.base import Model
from preddiff.models.columns import Columns
from preddiff.models.load import load_model
from preddiff.pipeline.explain import explain
from preddiff.samplers import Marginal, Sampler
from preddiff.types import Pixels, Setting

if TYPE_CHECKING:
    import pandas as pd


def prediction_difference(
    estimator: object,
    X: "ArrayLike | pd.DataFrame",  # noqa: N803 - the word of scikit-learn
    *,
    background: "ArrayLike | pd.DataFrame | None" = None,
    target: int | str | None = None,
    sampler: Sampler | None = None,
    n_draws: int = 10,
    random_state: int = 0,
    **settings: Setting,
) -> Bunch:
    """Return the relevance of every feature for the answer to each row.

    `sklearn.inspection.permutation_importance` says what matters for the score over a table; this
    says what mattered for one answer.

    Parameters
    ----------
    estimator : a fitted classifier.
    X : (row, feature), a table of numbers, or a DataFrame with categories as the estimator was
        fitted on.
    background : (row, feature), whose values stand in for hidden ones; None is X.
    target : the class that is explained; None is that which each row is answered by.
    sampler : of rows, such as `preddiff.samplers.RowGaussian`; None draws rows of `background`.
    n_draws : for each feature, where no closed form is known.
    random_state : the draws follow from it.
    settings : as of `preddiff.explain`.

    Returns
    -------
    A Bunch of `relevance` and `standard_error`, (row, feature) in bits, and `explanations`, a list.

    Raises
    ------
    PreddiffError
        A subclass that says which setting, estimator or table cannot be used.
    """
    import pandas as pd

    names = X.columns if isinstance(X, pd.DataFrame) else None
    model, rows, others = _in_numbers(estimator, X, X if background is None else background)
    if rows.ndim != 2 or not len(rows):
        raise SettingError(f"X of shape {rows.shape}: expected (row, feature), at least one row")
    found = [
        explain(
            model,
            row if names is None else pd.Series(row, index=names),
            target,
            sampler=Marginal(others) if sampler is None else sampler,
            samples=n_draws,
            seed=random_state,
            **settings,
        )
        for row in rows
    ]
    return Bunch(
        relevance=np.stack([each.relevance.values[0] for each in found]),
        standard_error=np.stack([each.standard_error.values[0] for each in found]),
        explanations=found,
    )


def _in_numbers(
    estimator: object,
    rows: "ArrayLike | pd.DataFrame",
    background: "ArrayLike | pd.DataFrame",
) -> tuple[Model, Pixels, Pixels]:
    """Return the model of numbers, and rows and background as such."""
    import pandas as pd

    if isinstance(rows, pd.DataFrame) and isinstance(background, pd.DataFrame):
        columns = Columns(background)
        # A table of numbers is no table to decode: a linear estimator of it has a closed form.
        if columns.categorical:
            model = load_model(estimator, table=background)
            rows, background = columns.encode(rows), columns.encode(background)
            return model, np.asarray(rows, np.float32), np.asarray(background, np.float32)
    return load_model(estimator), np.asarray(rows, np.float32), np.asarray(background, np.float32)
