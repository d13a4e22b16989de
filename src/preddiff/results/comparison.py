"""Explanations of one input side by side, each named after the settings in which it differs."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import overload

from preddiff.errors import SettingError
from preddiff.results.explanation import Explanation

# Settings that a reader may compare, those with speaking values first: "squeezenet" needs no
# explanation, "5" has to be called "window 5". Others (engine, precision) do not change what a map
# shows, or follow from these.
_SPEAKING_SETTINGS = ("model", "sampler", "source", "node", "measure")
_NUMERIC_SETTINGS = ("window", "samples", "stride", "seed")


class Comparison(Sequence[Explanation]):
    """Explanations of the same input that differ in some settings (sections 4.1 and 4.2).

    Parameters
    ----------
    explanations : at least one, all of the input of one name.

    Raises
    ------
    SettingError
        If there are none, or their inputs differ.
    """

    def __init__(self, explanations: Sequence[Explanation]) -> None:
        self.explanations = tuple(explanations)
        if not self.explanations:
            raise SettingError("no explanations: expected at least one")
        first = self.explanations[0]
        for other in self.explanations[1:]:
            if not _of_one_input(first, other):
                names = [each.provenance["input"] for each in (first, other)]
                different = " of other values" if names[0] == names[1] else ""
                raise SettingError(
                    f"explanations of {names[0]} and of {names[1]}{different}: expected the same "
                    "input; show each by itself"
                )

    @property
    def titles(self) -> list[str]:
        """Title of each explanation: see `titles`."""
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


def _of_one_input(first: Explanation, other: Explanation) -> bool:
    """Return whether two explanations are of the same input, by hash where both have one.

    Older results have none: then the name of the input decides.
    """
    hashes = [each.provenance.get("input_sha256") for each in (first, other)]
    if all(hashes):
        return hashes[0] == hashes[1]
    return bool(first.provenance["input"] == other.provenance["input"])


def titles(explanations: Sequence[Explanation]) -> list[str]:
    """Return a title for each explanation, made of the settings in which they differ.

    For example "window 5", or "squeezenet, marginal:pool". Where nothing differs it is the input's
    name; equal titles are numbered.
    """
    differing = differing_settings(explanations)
    names = [
        ", ".join(_named(name, texts[number]) for name, texts in differing.items())
        or str(explanation.provenance["input"])
        for number, explanation in enumerate(explanations)
    ]
    return [
        f"{name} ({names[: number + 1].count(name)})" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    ]


def differing_settings(explanations: Sequence[Explanation]) -> dict[str, list[str]]:
    """Return the settings in which explanations differ, with the value of each in words."""
    provenances = [explanation.provenance for explanation in explanations]
    return {
        name: [_readable(name, each.get(name, "")) for each in provenances]
        for name in _SPEAKING_SETTINGS + _NUMERIC_SETTINGS
        if len({str(each.get(name, "")) for each in provenances}) > 1
    }


def _named(name: str, text: str) -> str:
    return f"{name} {text}" if name in _NUMERIC_SETTINGS else text


def _readable(name: str, value: object) -> str:
    """Return the value of a setting as a person would write it."""
    text = str(value)
    if name == "model":  # nets/squeezenet.onnx → squeezenet, torchvision:vgg16 → vgg16
        return PurePath(text).stem if PurePath(text).suffix else text.rpartition(":")[2]
    if name == "source":
        return f"from {text}" if text else "from the input"
    if name == "node":
        return text or "output"
    return text.replace("_", " ") if name == "measure" else text
