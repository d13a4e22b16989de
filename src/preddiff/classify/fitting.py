"""A classifier of all scans in a table, and its cross-validated scores."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from preddiff.classify.logistic import regression, unfold
from preddiff.classify.table import ScanTable
from preddiff.classify.voxels import Voxels
from preddiff.errors import InputError, SettingError

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    from preddiff.classify.voxels import VoxelValues
    from preddiff.types import Floats


class ClassifierFacts(TypedDict):
    """Plain numbers and texts on a fitted classifier, as files keep them (docs/models.md).

    Scores are means over the folds; `…_spread` is their standard deviation over the folds.
    """

    subjects: int
    groups: dict[str, int]
    voxels: int
    grid: str
    standardised: bool
    folds: int
    seed: int
    chance: float
    accuracy: float
    accuracy_spread: float
    balanced_accuracy: float
    balanced_accuracy_spread: float
    auc: float
    auc_spread: float


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """A classifier and what is known of it.

    Attributes
    ----------
    estimator : scikit-learn's, fitted on the values of the voxels.
    voxels : the voxels whose values it takes.
    facts : how it was fitted, and its cross-validated scores.
    """

    estimator: LogisticRegression
    voxels: Voxels
    facts: ClassifierFacts


def fit(
    table: ScanTable, voxels: Voxels, *, folds: int = 10, standardise: bool = False, seed: int = 0
) -> FittedClassifier:
    """Fit a classifier on all scans of a table, and score it on scans that it has not seen.

    Parameters
    ----------
    folds : parts of the cross-validation; every part has the groups in the table's proportions.
    standardise : divide every voxel by its standard deviation over the scans that are fitted.
    seed : decides which scans come into which part.

    Raises
    ------
    SettingError
        If a group has fewer scans than there are folds.
    InputError
        If a scan cannot be read, or all are the same.
    """
    counts = Counter(table.labels)
    smallest = min(counts, key=lambda label: counts[label])
    if not 2 <= folds <= counts[smallest]:
        raise SettingError(
            f"folds={folds}: the group {smallest!r} has {counts[smallest]} scans: expected 2 to as "
            "many folds as it has scans"
        )
    values, labels = voxels.read(table.paths), np.array(table.labels)
    # Equal scans span no direction at all, and scikit-learn's complaint about arrays without
    # features would say nothing of scans. Usually one path was copied down the whole column.
    if (values == values[0]).all():
        raise InputError(
            f"{table.paths[0]}: all {len(values)} scans have the same values in the chosen voxels: "
            "expected scans that differ; choose other voxels, or check the table's paths"
        )
    pipeline = regression(standardise=standardise)
    accuracy, balanced, auc = _cross_validated(pipeline, values, table.labels, folds, seed)
    facts = ClassifierFacts(
        subjects=len(labels),
        groups=dict(sorted(counts.items())),
        voxels=int(voxels.mask.sum()),
        grid=str(voxels.grid),
        standardised=standardise,
        folds=folds,
        seed=seed,
        # What always naming the largest group would achieve: the number to hold accuracy against.
        chance=max(counts.values()) / len(labels),
        accuracy=accuracy[0],
        accuracy_spread=accuracy[1],
        balanced_accuracy=balanced[0],
        balanced_accuracy_spread=balanced[1],
        auc=auc[0],
        auc_spread=auc[1],
    )
    return FittedClassifier(unfold(pipeline.fit(values, labels)), voxels, facts)


def _cross_validated(
    pipeline: Pipeline, values: VoxelValues, labels: tuple[str, ...], folds: int, seed: int
) -> list[tuple[float, float]]:
    """Mean and standard deviation over folds of accuracy, balanced accuracy and AUC."""
    from sklearn.model_selection import StratifiedKFold, cross_validate

    # The whole pipeline, centring and rotation included, is fitted anew in every fold. If they were
    # fitted once on all scans, the held-out ones would leak into the classifier that they judge.
    # Folds are stratified because a small group might else be missing from one, which then has no
    # AUC, and shuffled because tables are often sorted by group.
    scores = cross_validate(
        pipeline,
        values,
        np.array(labels),
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        scoring={
            "accuracy": "accuracy",
            "balanced_accuracy": "balanced_accuracy",
            "auc": "roc_auc" if len(set(labels)) == 2 else "roc_auc_ovr",
        },
    )
    names = ("accuracy", "balanced_accuracy", "auc")
    return [_mean_and_spread(scores[f"test_{name}"]) for name in names]


def _mean_and_spread(scores: Floats) -> tuple[float, float]:
    """Mean and standard deviation over folds.

    The deviation is no standard error of the mean: folds share most of their training scans, so
    their scores are not independent, and dividing by √folds would promise too much.
    """
    return float(scores.mean()), float(scores.std(ddof=1))
