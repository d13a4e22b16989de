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
        ("tench vs. crane", "no such label; a contrast is written 'tench against crane'"),
        ("tench and not crane", "a contrast is written 'tench against crane'"),
        ("crane", "is the label of classes 1, 2: give the number"),
        ([], "no targets"),
        (["tench against crane", 1], "a contrast stands alone; ask one at a time"),
    ],
)
def test_targets_that_are_not_there(wanted, message):
    with pytest.raises(TargetError, match=message):
        targets.resolve(wanted, VALUES, LABELS)
    with pytest.raises(TargetError, match="this model has no labels"):
        targets.resolve("cat", VALUES, None)


def test_a_number_that_is_a_label_and_another_class_is_refused():
    """Groups coded 1 and 2: "1" explained group 2."""
    for wanted in (1, "1", 1.0, np.int64(1), np.float64(1)):
        with pytest.raises(TargetError, match="label of class 0, and the number of the class with"):
            targets.resolve(wanted, VALUES[:2], ["1", "2"])
    with pytest.raises(TargetError, match="write label:1 or class:1"):
        targets.resolve("1", VALUES[:2], ["1.0", "2.0"])


@pytest.mark.parametrize(
    ("wanted", "labels", "expected"),
    [
        ("label:1", ["1", "2"], [0]), ("class:1", ["1", "2"], [1]), ("2", ["1", "2"], [1]),
        (2, ["1", "2"], [1]), ("0", ["1", "2"], [0]), ("1", ["0", "1"], [1]), (1, ["-1", "1"], [1]),
        ("-1", ["-1", "1"], [0]), ("1", ["a", "b"], [1]), ("1.0", ["1.0", "2.0"], None),
        ("label:1", ["1.0", "2.0"], [0]), (True, ["False", "True"], [1]), (1.0, None, [1]),
        ("label:a", ["label:a", "a"], [0]), ("b", ["a,b", "c"], [0]), ("b", ["a ,b ", "c"], [0]),
    ],
)  # fmt: skip
def test_labels_that_are_numbers_and_synonyms(wanted, labels, expected):
    if expected is None:
        with pytest.raises(TargetError, match=r"write label:1.0 or class:1"):
            targets.resolve(wanted, VALUES[:2], labels)
    else:
        assert targets.resolve(wanted, VALUES[:2], labels) == expected
