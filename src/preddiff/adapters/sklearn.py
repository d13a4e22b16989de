"""An inspection of estimators on rows of a table, as `sklearn.inspection` has them."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from preddiff.errors import SettingError
from preddiff.models.load import load_model
from preddiff.pipeline.explain import explain
from preddiff.samplers import Marginal, Sampler
from preddiff.types import Setting


def prediction_difference(
    estimator: object,
    X: ArrayLike,  # noqa: N803 - the word of scikit-learn
    *,
    background: ArrayLike | None = None,
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
    X : (row, feature), a table of numbers.
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
    rows = np.asarray(X, dtype=np.float32)
    if rows.ndim != 2 or not len(rows):
        raise SettingError(f"X of shape {rows.shape}: expected (row, feature), at least one row")
    others = rows if background is None else np.asarray(background, dtype=np.float32)
    model = load_model(estimator)
    found = [
        explain(
            model,
            row,
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
