"""Targets: the classes, channels or units that are explained."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from preddiff.errors import TargetError, nearest
from preddiff.types import PerTarget

T = TypeVar("T")

Target = int | str
"""The number of a class or channel, a label, "topN", "all", or a unit such as "12:5,7"."""

Unit = tuple[int, tuple[int, ...] | None]
"""A channel, and a position in it; None is the mean over all of its positions."""

AGAINST = " against "
"""Between the two classes of a contrast."""

_VERSUS = re.compile(r"(.+?)\s+(?:vs\.?|versus|rather than|and not|not)\s+(.+)", re.IGNORECASE)

_SEPARATOR = re.compile(r",\s*")  # of synonyms

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
        looks like a number is the number of a class, counted from 0, or its label;
        "class:1" and "label:1" say which, where they are two classes.
    values : (K,), the model's values on the input.
    labels : (K,), or None.

    Raises
    ------
    TargetError
        If a class or label does not exist, or a label stands for several classes, or a number for
        one and is the label of another.
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
    targets = _plain(targets)
    return [targets] if isinstance(targets, int | float | str) else list(targets)


def _plain(target: T) -> T:
    """Return a number that numpy or torch returned as one of Python; anything else as it is."""
    if hasattr(target, "item") and getattr(target, "ndim", 1) == 0:
        plain: T = target.item()
        return plain
    return target


def names(numbers: Sequence[int], labels: Sequence[str] | None, noun: str = "class") -> list[str]:
    """Return names for targets: the first name of a label, or a noun and the number."""
    if labels is not None:
        return [labels[n].split(",")[0] for n in numbers]
    return [f"{noun} {n}" for n in numbers]


def _one(target: Target, values: PerTarget, labels: Sequence[str] | None) -> list[int]:
    classes = len(values)
    target = _plain(target)
    if not isinstance(target, int | float | str):
        raise TargetError(
            f"a {type(target).__name__} among targets: expected numbers and labels; a function of "
            "the output is explained alone, and may return several numbers (n, k)"
        )
    text = str(target).strip()
    if text == "all":
        return list(range(classes))
    top = re.fullmatch(r"top(\d+)", text)
    if top:
        count = int(top.group(1))
        if not 1 <= count <= classes:
            raise TargetError(f"target {text!r}: expected top1 to top{classes}")
        return [int(n) for n in np.argsort(-values, kind="stable")[:count]]
    stated = re.fullmatch(r"(class|label):(.+)", text)
    if stated and not _classes_of(text, labels):
        reading, text = stated.group(1), stated.group(2).strip()
        return [_numbered(text, classes) if reading == "class" else _labelled(text, labels)]
    number = _number(target)
    return [_labelled(text, labels) if number is None else _either(number, text, classes, labels)]


def _number(target: Target) -> int | None:
    """The number that a target is, also as a text or as 1.0; None if it is a name."""
    if isinstance(target, bool | np.bool_):
        return None
    text = str(target).strip()
    return int(float(text)) if re.fullmatch(r"-?\d+(\.0*)?", text) else None


def _either(number: int, text: str, classes: int, labels: Sequence[str] | None) -> int:
    """The class that a number means: its number, counted from 0, or its label."""
    named = [n for n, spellings in enumerate(_spellings(labels)) if number in _numbers(spellings)]
    if not named or named == [number]:
        return _numbered(str(number), classes)
    # Groups coded 1 and 2 are classes 0 and 1: "1" is the first group's label, and the number of
    # the second.
    if labels is not None and 0 <= number < classes:
        raise TargetError(
            f"target {text}: the label of class {named[0]}, and the number of the class with the "
            f"label {labels[number]!r}: write label:{text} or class:{number}"
        )
    return _only(text, named)


def _numbered(text: str, classes: int) -> int:
    if not (text.isdecimal() and int(text) < classes):
        raise TargetError(f"target {text}: expected 0 to {classes - 1}")
    return int(text)


def _labelled(text: str, labels: Sequence[str] | None) -> int:
    found = _classes_of(text, labels)
    if not found and AGAINST in text:
        raise TargetError(f"target {text!r}: a contrast stands alone; ask one at a time")
    if labels is None:
        raise TargetError(f"target {text!r}: this model has no labels; give a number, topN or all")
    if not found and (number := _number(text)) is not None:
        found = [n for n, several in enumerate(_spellings(labels)) if number in _numbers(several)]
    if not found:
        every = [name for label in labels for name in _SEPARATOR.split(label)]
        hint = _contrast(text) or nearest(text, every)
        raise TargetError(f"target {text!r}: no such label{hint}")
    return _only(text, found)


def _contrast(text: str) -> str:
    """Return how a contrast is written that is written in another way; empty where none is."""
    found = _VERSUS.fullmatch(text)
    return f"; a contrast is written {AGAINST.join(found.groups())!r}" if found else ""


def _only(text: str, found: list[int]) -> int:
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise TargetError(f"target {text!r} is the label of classes {numbers}: give the number")
    return found[0]


def _classes_of(text: str, labels: Sequence[str] | None) -> list[int]:
    """The classes that have a label, or one of its synonyms."""
    # ImageNet's labels are lists of synonyms: "tench, Tinca tinca". A label that is written out
    # counts before a synonym: "crane" is two classes, but may be a synonym of a third.
    wanted = text.casefold()
    exact = [n for n, label in enumerate(labels or ()) if label.strip().casefold() == wanted]
    return exact or [n for n, spellings in enumerate(_spellings(labels)) if wanted in spellings]


def _spellings(labels: Sequence[str] | None) -> list[set[str]]:
    """Every label as it is written out, and its synonyms, in small letters."""
    return [
        {part.strip().casefold() for part in (label, *_SEPARATOR.split(label))}
        for label in labels or ()
    ]


def _numbers(spellings: Iterable[str]) -> set[int]:
    return {number for text in spellings if (number := _number(text)) is not None}
