"""L2 logistic regression, fast where features far outnumber subjects.

A scan has hundreds of thousands of voxels and a study has perhaps two hundred scans, so fitting one
weight per voxel directly would spend its time on directions in which no two scans differ.

Minimise over the weights w (feature,) and the intercept b

    ½ ‖w‖² + C Σ_i log(1 + exp(−y_i (w · x_i + b))),    y_i = ±1.

The loss sees w only through its products with the scans. Whatever part of w is orthogonal to all
centred scans changes no product (a shift by the mean is absorbed by b), but adds to ‖w‖²; at the
minimum it is zero. So w is a sum of centred scans, and in any orthonormal basis of the space that
they span the problem is the same one, penalty included, because a rotation keeps lengths. There are
fewer such directions than subjects. This is the representer theorem; Hastie & Tibshirani
(Biostatistics 2004, "Efficient quadratic regularization for expression arrays") use it in this
form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import SettingError
from preddiff.models.folding import fold

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

_MAX_ITERATIONS = 10_000
# scikit-learn's default of 1e-4 stops so early that single weights are wrong by some per cent.
_SOLVER_TOLERANCE = 1e-8


def regression(*, standardise: bool = False, inverse_penalty: float = 1.0) -> Pipeline:
    """Return an unfitted scikit-learn pipeline of (subject, feature) arrays.

    Parameters
    ----------
    standardise : divide every feature by its standard deviation over the fitted subjects.
    inverse_penalty : C of scikit-learn's LogisticRegression; smaller values shrink weights more.
    """
    from sklearn.decomposition import KernelPCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    # Scans are float32, and scikit-learn computes in the precision of what it gets. In float32 the
    # solver takes rounding for the minimum after a few steps, and the rotation's small directions
    # are noise: weights came out up to 70 times too large, or no classifier at all.
    # Kernel PCA with a linear kernel is the rotation of the module's docstring: it diagonalises the
    # (subject, subject) matrix of products, never the (feature, feature) covariance, and keeps
    # every direction whose eigenvalue is not zero. It is part of the pipeline, rather than done
    # once beforehand, so that cross-validation finds the directions from the training folds alone.
    return make_pipeline(
        FunctionTransformer(np.float64),
        StandardScaler(with_std=standardise),
        KernelPCA(kernel="linear"),
        LogisticRegression(C=inverse_penalty, max_iter=_MAX_ITERATIONS, tol=_SOLVER_TOLERANCE),
    )


def unfold(pipeline: Pipeline) -> LogisticRegression:
    """Return the classifier of a fitted `regression` with one weight per feature.

    The pipeline itself holds every scan that it was fitted on; a file that is shared must not.

    Raises
    ------
    SettingError
        If the fitted pipeline does not separate the groups at all.
    """
    from sklearn.linear_model import LogisticRegression

    folded = fold(pipeline)
    if folded is None:
        raise SettingError(
            "the scans are too much alike to tell the groups apart; check the table's paths"
        )
    estimator = LogisticRegression()
    estimator.classes_ = pipeline.classes_
    estimator.coef_, estimator.intercept_ = folded
    estimator.n_features_in_ = estimator.coef_.shape[1]
    return estimator
