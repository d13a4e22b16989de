"""Explanations of one input side by side, and what each is called by what differs."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, overload

from preddiff.errors import SettingError
from preddiff.results.explanation import Explanation

_FACTS = ("model", "sampler", "source", "node", "measure", "window", "samples", "stride", "seed")
_NUMBERS = _FACTS[_FACTS.index("window") :]


class Comparison(Sequence[Explanation]):
    """Explanations of the same input that differ in some settings (sections 4.1 and 4.2).

    Parameters
    ----------
    explanations : at least one; of inputs of the same shape and name.

    Raises
    ------
    SettingError
        If there is none, or they are of different inputs.
    """

    def __init__(self, explanations: Sequence[Explanation]) -> None:
        self.explanations = tuple(explanations)
        if not self.explanations:
            raise SettingError("no explanations: expected at least one")
        first = self.explanations[0]
        for other in self.explanations[1:]:
            if other.provenance["input"] != first.provenance["input"]:
                raise SettingError(
                    f"explanations of {first.provenance['input']} and of "
                    f"{other.provenance['input']}: expected the same input; show each by itself"
                )

    @property
    def titles(self) -> list[str]:
        """What to call each: see `titles`."""
        return titles(self.explanations)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Explanation]: ...
    def __getitem__(self, index: int | slice) -> Explanation | Sequence[Explanation]:
        return self.explanations[index]

    def __len__(self) -> int:
        return len(self.explanations)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self.explanations)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.titles)}>"


def titles(explanations: Sequence[Explanation]) -> list[str]:
    """A name for each of several explanations: the settings in which they differ.

    For example "window 5", or "squeezenet, marginal:pool". Where nothing differs, the input's name;
    equal ones are numbered.
    """
    differing = differing_settings(explanations)
    names = [
        ", ".join(_titled(name, texts[number]) for name, texts in differing.items())
        or str(explanation.provenance["input"])
        for number, explanation in enumerate(explanations)
    ]
    return [
        f"{name} ({names[: number + 1].count(name)})" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    ]


def differing_settings(explanations: Sequence[Explanation]) -> dict[str, list[str]]:
    """The settings in which explanations differ, and what each has of them, in words."""
    facts = [explanation.provenance for explanation in explanations]
    differing = [name for name in _FACTS if len({str(each.get(name, "")) for each in facts}) > 1]
    return {name: [_words(name, each.get(name, "")) for each in facts] for name in differing}


def _titled(name: str, text: str) -> str:
    """A setting in words that say which one it is."""
    return f"{name} {text}" if name in _NUMBERS else text


def _words(name: str, value: Any) -> str:
    """A setting for people."""
    text = str(value)
    if name == "model":
        return PurePath(text).stem if PurePath(text).suffix else text.rpartition(":")[2]
    if name == "source":
        return f"from {text}" if text else "from the input"
    if name == "node":
        return text or "output"
    return text.replace("_", " ") if name == "measure" else text
