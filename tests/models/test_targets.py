"""Classes, channels and units that are explained."""

import numpy as np
import pytest

from preddiff.errors import TargetError
from preddiff.models import targets

VALUES = np.array([0.1, 0.5, 0.15, 0.25])

LABELS = ["tench, Tinca tinca", "crane", "crane", "Egyptian cat"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [1]), ("top1", [1]), ("top3", [1, 3, 2]), (2, [2]), ("2", [2]), ([3, 0, 3], [3, 0]),
        ("all", [0, 1, 2, 3]), ("Tench", [0]), ("tinca tinca", [0]), ("egyptian cat", [3]),
        (["top2", 0], [1, 3, 0]), (np.int64(1), [1]),
    ],
)  # fmt: skip
def test_targets(wanted, expected):
    assert targets.resolve(wanted, VALUES, LABELS) == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (4, "target 4: expected 0 to 3"),
        (-1, "target -1: expected 0 to 3"),
        ("top5", "target 'top5': expected top1 to top4"),
        ("egyptian cot", "no such label; nearest: Egyptian cat"),
        ("crane", "is the label of classes 1, 2: give the number"),
        ([], "no targets"),
    ],
)
def test_targets_that_are_not_there(wanted, message):
    with pytest.raises(TargetError, match=message):
        targets.resolve(wanted, VALUES, LABELS)
    with pytest.raises(TargetError, match="this model has no labels"):
        targets.resolve("cat", VALUES, None)
