"""L2 logistic regression on voxels, cross-validated."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from preddiff.classify.table import Table
from preddiff.classify.voxels import Voxels
from preddiff.errors import SettingError
from preddiff.models.folding import fold

_ITERATIONS = 10_000  # that the solver may take; it stops when it has converged,
_TOLERANCE = 1e-8  # which at scikit-learn's usual 1e-4 leaves weights wrong by some per cent


@dataclass(frozen=True, eq=False)
class Fitted:
    """A classifier and what is known of it.

    Attributes
    ----------
    estimator : of scikit-learn, on the values of the voxels.
    voxels : those it looks at.
    facts : plain numbers and texts, as docs/models.md lists them.
    """

    estimator: Any
    voxels: Voxels
    facts: dict[str, Any]


def fit(
    table: Table, voxels: Voxels, *, folds: int = 10, standardise: bool = False, seed: int = 0
) -> Fitted:
    """A classifier of all scans of a table, and how well it does on scans that it has not seen.

    Parameters
    ----------
    folds : parts of the cross-validation, each with all groups in their proportions.
    standardise : divide every voxel by its standard deviation over the scans that are fitted.
    seed : which scans come into which part follows from it.

    Raises
    ------
    SettingError
        If a group has fewer scans than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold, cross_validate

    counts = Counter(table.labels)
    fewest = min(counts, key=lambda label: counts[label])
    if not 2 <= folds <= counts[fewest]:
        raise SettingError(
            f"folds={folds}: the group {fewest!r} has {counts[fewest]} scans: expected 2 to as "
            "many as it has"
        )
    values, labels = voxels.of(table.paths), np.array(table.labels)
    pipeline = _pipeline(standardise)
    several = "roc_auc" if len(counts) == 2 else "roc_auc_ovr"
    scores = cross_validate(
        pipeline,
        values,
        labels,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        scoring={"accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "auc": several},
    )
    facts: dict[str, Any] = {
        "subjects": len(labels),
        "groups": dict(sorted(counts.items())),
        "voxels": int(voxels.mask.sum()),
        "grid": str(voxels.grid),
        "standardised": standardise,
        "folds": folds,
        "seed": seed,
        "chance": max(counts.values()) / len(labels),
    }
    for name in ("accuracy", "balanced_accuracy", "auc"):
        facts[name] = float(scores[f"test_{name}"].mean())
        facts[f"{name}_spread"] = float(scores[f"test_{name}"].std(ddof=1))
    return Fitted(_unfolded(pipeline.fit(values, labels)), voxels, facts)


def _pipeline(standardise: bool) -> Any:
    """Logistic regression with an L2 penalty.

    The penalty does not change when the voxels are rotated onto the directions in which the scans
    differ at all, of which there are fewer than scans: that is what kernel PCA with a linear kernel
    does. The classifier is the same, and a hundred times faster to find.
    """
    from sklearn.decomposition import KernelPCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(with_std=standardise),
        KernelPCA(kernel="linear"),
        LogisticRegression(max_iter=_ITERATIONS, tol=_TOLERANCE),
    )


def _unfolded(pipeline: Any) -> Any:
    """The same classifier with a weight for every voxel, instead of the scans themselves."""
    from sklearn.linear_model import LogisticRegression

    folded = fold(pipeline)
    if folded is None:
        raise SettingError("the scans are too much alike to tell the groups; check the table")
    estimator = LogisticRegression()
    estimator.classes_ = pipeline.classes_
    estimator.coef_, estimator.intercept_ = folded
    estimator.n_features_in_ = estimator.coef_.shape[1]
    return estimator
