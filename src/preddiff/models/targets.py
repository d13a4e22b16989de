"""Targets: the classes, channels or units that are explained."""

import re
from collections.abc import Sequence

import numpy as np

from preddiff.errors import TargetError, nearest
from preddiff.types import PerTarget

Target = int | str
"""The number of a class or channel, a label, "topN", "all", or a unit such as "12:5,7"."""

Unit = tuple[int, tuple[int, ...] | None]
"""A channel, and a position in it; None is the mean over all of its positions."""

_UNIT = re.compile(r"(\d+)(?::(\d+(?:,\d+)*))?")


def parse_units(targets: Target | Sequence[Target] | None) -> list[Unit]:
    """Return the channels and positions of units such as "12:5,7"; none if no target is a unit.

    Among units, the number of a channel stands for the mean over its positions.

    Raises
    ------
    TargetError
        If a target among units is neither a unit nor a number.
    """
    texts = [str(target).strip() for target in _several(targets)]
    found = [_UNIT.fullmatch(text) for text in texts]
    if not any(match and match.group(2) for match in found):
        return []
    parsed: list[Unit] = []
    for text, match in zip(texts, found, strict=True):
        if match is None:
            raise TargetError(f"target {text!r}: among units, expected CHANNEL or CHANNEL:Y,X")
        channel, position = match.groups()
        parsed.append((int(channel), tuple(map(int, position.split(","))) if position else None))
    return parsed


def unit_name(unit: Unit) -> str:
    """Return a unit as `parse_units` reads it."""
    channel, position = unit
    return f"{channel}" if position is None else f"{channel}:{','.join(map(str, position))}"


def resolve(
    targets: Target | Sequence[Target] | None, values: PerTarget, labels: Sequence[str] | None
) -> list[int]:
    """Return the numbers of the classes or channels that are meant.

    Parameters
    ----------
    targets : numbers, labels, "topN" or "all", one or several; None is "top1". A label may be any
        one of a class's names where commas separate them; upper and lower case are the same. What
        looks like a number is the number of a class, counted from 0.
    values : (K,), the model's values on the input.
    labels : (K,), or None.

    Raises
    ------
    TargetError
        If a class or label does not exist, or a label stands for several classes.
    """
    several = _several(targets)
    if not several:
        raise TargetError("no targets: expected at least one class, label or topN")
    if labels is not None and len(labels) != len(values):
        raise TargetError(
            f"{len(labels)} labels for {len(values)} classes: expected as many; correct the labels"
        )
    found = [number for target in several for number in _one(target, values, labels)]
    return list(dict.fromkeys(found))


def _several(targets: Target | Sequence[Target] | None) -> list[Target]:
    if targets is None:
        targets = "top1"
    if hasattr(targets, "item") and getattr(targets, "ndim", 1) == 0:
        targets = targets.item()  # a number as numpy and torch return it
    return [targets] if isinstance(targets, int | str | np.integer) else list(targets)


def names(numbers: Sequence[int], labels: Sequence[str] | None, node: str | None) -> list[str]:
    """Return names for targets: the first name of a label, or "class" or the node, and number."""
    if labels is not None:
        return [labels[n].split(",")[0] for n in numbers]
    return [f"{node or 'class'} {n}" for n in numbers]


def _one(target: Target, values: PerTarget, labels: Sequence[str] | None) -> list[int]:
    classes = len(values)
    if isinstance(target, int | np.integer) and not isinstance(target, bool):
        if not 0 <= target < classes:
            raise TargetError(f"target {target}: expected 0 to {classes - 1}")
        return [int(target)]
    text = str(target).strip()
    if re.fullmatch(r"\d+", text):
        return _one(int(text), values, labels)
    if text == "all":
        return list(range(classes))
    top = re.fullmatch(r"top(\d+)", text)
    if top:
        count = int(top.group(1))
        if not 1 <= count <= classes:
            raise TargetError(f"target {text!r}: expected top1 to top{classes}")
        return [int(n) for n in np.argsort(-values, kind="stable")[:count]]
    return [_labelled(text, labels)]


def _labelled(text: str, labels: Sequence[str] | None) -> int:
    if labels is None:
        raise TargetError(f"target {text!r}: this model has no labels; give a number, topN or all")
    wanted = text.casefold()
    # ImageNet's labels are lists of synonyms: "tench, Tinca tinca". A label that is written out
    # counts before a synonym: "crane" is two classes, but may be a synonym of a third.
    spellings = [{label.casefold(), *label.casefold().split(", ")} for label in labels]
    exact = [n for n, label in enumerate(labels) if label.casefold() == wanted]
    found = exact or [n for n, spelling in enumerate(spellings) if wanted in spelling]
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise TargetError(f"target {text!r} is the label of classes {numbers}: give the number")
    if not found:
        every = [name for label in labels for name in label.split(", ")]
        raise TargetError(f"target {text!r}: no such label{nearest(text, every)}")
    return found[0]
