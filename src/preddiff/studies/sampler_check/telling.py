"""Telling: how well a small classifier tells windows that were drawn from those that are real.

A classifier two-sample test (Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", ICLR
2017): where draws follow the true law, no classifier does better than chance.
"""

from typing import Annotated

import numpy as np
from scipy import stats

from preddiff.studies.sampler_check.sites import Crops
from preddiff.types import Floats, Integers

Features = Annotated[Floats, "window feature"]

_FOLDS = 5
_PENALTY = 1.0
_LEAST = 1e-8  # added to mean squares: 1e-4 of the range is what an eye or a file no longer tells
_FURTHEST = 5.0  # standard deviations; one odd window decides nothing


def features(found: Crops, margin: int) -> Features:
    """Return what tells a window from one that was drawn: how it changes, inside and at its rim.

    Of each axis the mean square of the differences between neighbours inside the window and across
    its rim, of second differences, and how heavy their tails are; of colours, the differences
    between channels; and the window's mean, spread, minimum and maximum. Then all squares.
    """
    inside = found[:, :, *(slice(margin, -margin),) * (found.ndim - 2)]
    columns = _changes(found, margin)
    if found.shape[1] > 1:
        columns += _changes(found - found.mean(axis=1, keepdims=True), margin)
    flat = inside.reshape(len(inside), -1)
    columns += [flat.mean(axis=1), _log(flat.var(axis=1)), flat.min(axis=1), flat.max(axis=1)]
    values = np.stack(columns, axis=1)
    return np.concatenate([values, values**2], axis=1)


def area_under_the_curve(
    real: Features, drawn: Features, members: Annotated[Integers, "window"]
) -> tuple[float, float]:
    """Return the area under the ROC curve, real against drawn, with its standard error.

    Each input's windows are judged by a classifier that was fitted on other inputs; the area is the
    mean over inputs, and so is its error. 0.5 is chance.

    Parameters
    ----------
    members : the input that each window is of.
    """
    areas = []
    inputs = np.unique(members)
    for fold in range(min(_FOLDS, len(inputs))):
        held = np.isin(members, inputs[fold::_FOLDS])
        weights = _fitted(real[~held], drawn[~held])
        if weights is None:
            continue
        centre, scale, slopes = weights
        scores = [
            np.clip((each - centre) / scale, -_FURTHEST, _FURTHEST) @ slopes
            for each in (real, drawn)
        ]
        for one in inputs[fold::_FOLDS]:
            mine = members == one
            ranks = stats.rankdata(np.concatenate([each[mine] for each in scores]))
            count = int(mine.sum())
            # Mann & Whitney's statistic: the share of pairs in which the real one comes first.
            areas.append((ranks[:count].sum() - count * (count + 1) / 2) / count**2)
    if len(areas) < 2:
        return np.nan, np.nan
    return float(np.mean(areas)), float(np.std(areas, ddof=1) / np.sqrt(len(areas)))


def _changes(found: Crops, margin: int) -> list[Annotated[Floats, "window"]]:
    """Logarithms of mean squares of differences along each axis."""
    columns = []
    within = slice(margin, -margin)
    for axis in range(2, found.ndim):
        # Along the other axes only the window, along this one the pixel on either side as well.
        part = [slice(None), slice(None), *(within,) * (found.ndim - 2)]
        part[axis] = slice(margin - 1, found.shape[axis] - margin + 1)
        steps = np.moveaxis(np.diff(found[tuple(part)], axis=axis), axis, 1)
        steps = steps.reshape(*steps.shape[:2], -1)
        inside, rim = steps[:, 1:-1], steps[:, [0, -1]]
        square = (inside**2).mean(axis=(1, 2))
        columns += [
            _log(square),
            _log((rim**2).mean(axis=(1, 2))),
            _log((np.diff(steps, axis=1) ** 2).mean(axis=(1, 2))),
            _log((inside**4).mean(axis=(1, 2)) / (square + _LEAST)),
        ]
    return columns


def _log(values: Annotated[Floats, "window"]) -> Annotated[Floats, "window"]:
    return np.asarray(np.log(values + _LEAST))


def _fitted(
    real: Features, drawn: Features
) -> tuple[Annotated[Floats, "f"], Annotated[Floats, "f"], Annotated[Floats, "f"]] | None:
    """Logistic regression with a ridge, by Newton's method; None without windows to fit it on."""
    if len(real) < 2:
        return None
    both = np.concatenate([real, drawn])
    centre, scale = both.mean(axis=0), np.maximum(both.std(axis=0), 1e-12)
    values = np.clip((both - centre) / scale, -_FURTHEST, _FURTHEST)
    signs = np.repeat([1.0, -1.0], [len(real), len(drawn)])
    slopes = np.zeros(values.shape[1])
    for _ in range(25):
        chances = 1 / (1 + np.exp(np.clip(signs * (values @ slopes), -30, 30)))
        gradient = values.T @ (signs * chances) - _PENALTY * slopes
        curvature = (values.T * (chances * (1 - chances))) @ values
        step = np.linalg.solve(curvature + _PENALTY * np.eye(len(slopes)), gradient)
        # Newton's method overshoots where a few features separate the two.
        slopes += step * min(1.0, 10 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-6:
            break
    return centre, scale, slopes
