"""Arrays that rooms hand to each other have the axes that signatures name."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from numpy.typing import NDArray

import axes

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

import runs

ROOMS = ("method", "samplers", "engines", "models", "baselines", "results")
RUNS = (
    "picture incremental", "picture dense", "picture tolerance", "picture marginal",
    "picture occlusion", "picture independent", "picture information", "hidden node",
    "hidden source places", "hidden source channels", "volume closed form",
    "volume closed form located", "volume closed form marginal", "volume draws",
    "volume tolerance",
)  # fmt: skip


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What a few small runs came to, all arrays checked."""
    with axes.watched(*ROOMS) as findings:
        small = runs.runs(tmp_path_factory.mktemp("runs"))
        for name in RUNS:
            small[name]()
        return findings


def test_arrays_have_the_axes_that_signatures_name(findings):
    assert findings.failures == {}


@pytest.mark.parametrize(
    "function",
    [
        "method.analysis.analyse",
        "method.analysis.analyse_in_closed_form",
        "method.estimates.Estimates.relevance_and_error",
        "method.interpolation.Interpolation.interpolate",
        "method.interpolation.Interpolation.squared_deviations",
        "method.measures.ActivationDifference.__call__",
        "method.measures.InformationDifference.__call__",
        "method.measures.WeightOfEvidence.__call__",
        "method.measures.WeightOfEvidence.bias",
        "method.running_means.RunningMeans.add",
        "method.running_means.RunningMeans.mean_and_error",
        "method.schedule.Adaptive.next",
        "method.uncertainty.neyman_allocation",
        "method.uncertainty.relative_error",
        "method.uncertainty.relevance",
        "method.uncertainty.standard_error",
        "method.windows.Windows.coverage",
        "method.windows.Windows.mean",
        "method.windows.Windows.sums",
    ],
)
def test_arrays_between_rooms_were_checked(findings, function):
    assert findings.arrays[function] > 0


# The kernels of the incremental engine work on flat memory and on numbers of boxes, whatever axes
# these once had.
UNNAMED = "engines.incremental.execute.", "engines.incremental.compile."


def test_public_functions_name_the_axes_of_their_arrays():
    found = set()
    for module in axes.modules(*ROOMS):
        room = module.__name__.removeprefix("preddiff.")
        for owner, name, function, _ in axes.functions(module):
            if name.startswith("_") and name not in {"__init__", "__call__"}:
                continue
            if owner.__name__.startswith("_"):
                continue
            for parameter in axes.unnamed_arrays(function):
                found.add(f"{room}.{function.__qualname__}: {parameter}")
    assert sorted(each for each in found if not each.startswith(UNNAMED)) == []


# The checker itself can fail.

Table = Annotated[NDArray[np.float64], "row column"]
Row = Annotated[NDArray[np.float64], "column"]
Map = Annotated[NDArray[np.float64], "target *spatial"]


@dataclass
class Pair:
    table: Table
    row: Row


def product(table: Table, row: Row) -> Annotated[NDArray[np.float64], "row"]:
    return np.zeros(len(table)) if len(row) != 9 else table


def several(pair: Pair, maps: dict[str, Map], mask: Annotated[NDArray[np.bool_], "*spatial"]):
    return pair, maps, mask


def rows(table: Table, one: Row | float | None) -> tuple[Row, ...]:
    return tuple(table[:, :-1]) if one is None else tuple(table)


def ragged(*tables: Annotated[NDArray[np.float64], "_row column"]): ...


def numbers(size: int) -> "axes.Iterator[Row]":
    yield np.zeros(size)
    yield np.zeros((size, 1))


def call(function, *arguments):
    findings = axes.Findings()
    result = axes.checked(function, findings)(*arguments)
    return result, findings


PAIR = Pair(np.zeros((2, 3)), np.zeros(3))
FLAT = np.zeros((4, 5), dtype=bool)


@pytest.mark.parametrize(
    ("function", "arguments", "arrays"),
    [
        (product, (np.zeros((2, 3)), np.zeros(3)), 3),
        (several, (PAIR, {"a": np.zeros((1, 4, 5))}, FLAT), 4),
        (rows, (np.zeros((2, 3)), 1.0), 3),
        (ragged, (np.zeros((2, 3)), np.zeros((5, 3))), 2),
        (rows, (np.zeros((2, 3)), np.zeros(3)), 4),
    ],
)
def test_right_axes_are_accepted_and_counted(function, arguments, arrays):
    _, findings = call(function, *arguments)
    assert not findings.failures
    assert findings.arrays.total() == arrays


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (product, (np.zeros((2, 3)), np.zeros(4)), r"shape \(4,\) is no \(column\), where column"),
        (product, (np.zeros(3), np.zeros(3)), r"table.*shape \(3,\) is no \(row column\)"),
        (product, (np.zeros((2, 3, 1)), np.zeros(3)), r"is no \(row column\)"),
        (product, (np.zeros((2, 3), dtype=np.float32), np.zeros(3)), "expected float64"),
        (product, ([[1.0]], np.zeros(1)), "expected an array"),
        (product, (np.zeros((2, 9)), np.zeros(9)), r"result: shape \(2, 9\) is no \(row\)"),
        (several, (Pair(np.zeros((2, 3)), np.zeros(2)), {}, FLAT), "pair.*row.*column is 3"),
        (several, (PAIR, {"a": np.zeros((1, 4, 6))}, FLAT), r"\*spatial is \(4, 6\)"),
        (rows, (np.zeros((2, 3)), np.zeros(2)), "one.*column is 3"),
        (ragged, (np.zeros((2, 3)), np.zeros((2, 4))), "tables.*column is 3"),
        (rows, (np.zeros((2, 3)), None), "result.*column is 3"),
    ],
)
def test_wrong_axes_are_reported(function, arguments, message):
    _, findings = call(function, *arguments)
    failure, *_ = findings.failures.values()
    assert re.search(message, failure)


def test_items_of_generators_are_checked():
    made, findings = call(numbers, 3)
    assert len(next(made)) == 3
    assert not findings.failures
    next(made)
    assert re.search(r"item: shape \(3, 1\)", *findings.failures.values())


def test_arrays_without_names_are_found():
    def some(a: NDArray[np.float64], b: Table, c: list[np.ndarray], d: float) -> Row | None: ...

    assert axes.unnamed_arrays(some) == ["a", "c"]
