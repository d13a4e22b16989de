"""A classifier of all scans in a table, and its cross-validated scores."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np

from preddiff.classify import covariates
from preddiff.classify.logistic import regression, unfold
from preddiff.classify.table import ScanTable
from preddiff.classify.voxels import Voxels
from preddiff.errors import InputError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    from preddiff.classify.voxels import VoxelValues
    from preddiff.models.remembered import SamplerFacts
    from preddiff.types import Floats, Integers

    Parts = list[tuple[Integers, Integers]]


class ClassifierFacts(TypedDict):
    """Plain numbers and texts on a fitted classifier, as files keep them (docs/models.md).

    Scores are means over the folds; `…_spread` is their standard deviation over the folds.
    `subjects` counts scans; `people` who they are of, where the table says so. `sampler` is of the
    file that was fitted with it.
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
    people: NotRequired[int]
    regressed_out: NotRequired[list[str]]
    resampled: NotRequired[bool]
    sampler: NotRequired[SamplerFacts]


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
    table: ScanTable,
    voxels: Voxels,
    *,
    folds: int = 10,
    standardise: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> FittedClassifier:
    """Fit a classifier on all scans of a table, and score it on scans that it has not seen.

    Parameters
    ----------
    folds : parts of the cross-validation; every part has the groups in the table's proportions.
    standardise : divide every voxel by its standard deviation over the scans that are fitted.
    seed : decides which scans come into which part.
    progress : given how many fits are done, and of how many: one for each part, and that on all.

    Raises
    ------
    SettingError
        If a group has fewer scans, or subjects, than there are folds, or covariates tell the
        groups apart.
    InputError
        If a scan cannot be read, or two or all are the same.
    """
    _check_folds(table, folds)
    values, labels = voxels.read(table.paths), np.array(table.labels)
    # Equal scans span no direction at all, and scikit-learn's complaint about arrays without
    # features would say nothing of scans. Usually one path was copied down the whole column.
    if (values == values[0]).all():
        raise InputError(
            f"{table.paths[0]}: all {len(values)} scans have the same values in the chosen voxels: "
            "expected scans that differ; choose other voxels, or check the table's paths"
        )
    _refuse_copies(values, table.paths)
    columns = covariates.design(table.covariates, table.labels) if table.covariates else None
    pipeline = regression(standardise=standardise)
    accuracy, balanced, auc = _cross_validated(
        pipeline, values, columns, labels, _parts(table, folds, seed), progress
    )
    counts = Counter(table.labels)
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
    if table.subjects:
        facts["people"] = len(set(table.subjects))
    if table.covariates:
        facts["regressed_out"] = [covariate.name for covariate in table.covariates]
    if voxels.resampled:
        facts["resampled"] = True
    adjusted = covariates.regressed_out(values, columns, np.arange(len(values)))
    return FittedClassifier(unfold(pipeline.fit(adjusted, labels)), voxels, facts)


def _check_folds(table: ScanTable, folds: int) -> None:
    """Raise a SettingError if a group is too small to be in every fold."""
    members = table.subjects or tuple(str(row) for row in range(len(table.labels)))
    counts = Counter(label for label, _ in dict.fromkeys(zip(table.labels, members, strict=True)))
    smallest = min(counts, key=lambda label: counts[label])
    if not 2 <= folds <= counts[smallest]:
        what = "subjects" if table.subjects else "scans"
        raise SettingError(
            f"folds={folds}: the group {smallest!r} has {counts[smallest]} {what}: expected 2 to "
            f"as many folds as it has {what}"
        )


def _refuse_copies(values: VoxelValues, paths: Sequence[Path]) -> None:
    """Raise an InputError if two files hold the same scan: one would be judged by the other."""
    seen: dict[bytes, Path] = {}
    for scan, path in zip(values, paths, strict=True):
        if (scan == scan[0]).all():  # two maps without a lesion here are no copies
            continue
        first = seen.setdefault(hashlib.sha256(scan.tobytes()).digest(), path)
        if first != path:
            raise InputError(
                f"{first} and {path}: the same values in the chosen voxels: expected every scan in "
                "one row; remove one of them from the table"
            )


def _parts(table: ScanTable, folds: int, seed: int) -> Parts:
    """Rows that are fitted and rows that are held out, for every fold."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    # Folds are stratified because a small group might else be missing from one, which then has no
    # AUC, and shuffled because tables are often sorted by group. All scans of a subject are in one
    # fold: a classifier that knows a subject's other scans recognises the subject.
    kind = StratifiedGroupKFold if table.subjects else StratifiedKFold
    labels = np.array(table.labels)
    divided = kind(folds, shuffle=True, random_state=seed)
    parts = list(divided.split(np.empty((len(labels), 1)), labels, table.subjects or None))
    for part in (rows for pair in parts for rows in pair):
        absent = sorted(set(labels) - set(labels[part]))
        if absent:
            raise SettingError(
                f"folds={folds}: a part has no scan of the group {absent[0]!r} when all scans of a "
                "subject are in one part; expected fewer folds, or another seed"
            )
    return parts


def _cross_validated(
    pipeline: Pipeline,
    values: VoxelValues,
    columns: covariates.Design | None,
    labels: NDArray[np.str_],
    parts: Parts,
    progress: Callable[[int, int], None],
) -> list[tuple[float, float]]:
    """Mean and standard deviation over folds of accuracy, balanced accuracy and AUC."""
    from sklearn.model_selection import cross_validate

    # The whole pipeline, centring and rotation and what covariates explain included, is fitted anew
    # in every fold. If they were fitted once on all scans, the held-out ones would leak into the
    # classifier that they judge.
    scoring = {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced_accuracy",
        "auc": "roc_auc" if len(set(labels)) == 2 else "roc_auc_ovr",
    }
    scores = []
    for number, (fitted, held_out) in enumerate(parts):
        progress(number, len(parts) + 1)
        adjusted = covariates.regressed_out(values, columns, fitted)
        cv = [(fitted, held_out)]
        scores.append(cross_validate(pipeline, adjusted, labels, cv=cv, scoring=scoring))
    progress(len(parts), len(parts) + 1)
    names = ("accuracy", "balanced_accuracy", "auc")
    return [
        _mean_and_spread(np.concatenate([fold[f"test_{name}"] for fold in scores]))
        for name in names
    ]


def _mean_and_spread(scores: Floats) -> tuple[float, float]:
    """Mean and standard deviation over folds.

    The deviation is no standard error of the mean: folds share most of their training scans, so
    their scores are not independent, and dividing by √folds would promise too much.
    """
    return float(scores.mean()), float(scores.std(ddof=1))
