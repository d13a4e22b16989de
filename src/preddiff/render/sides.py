"""What values above and below zero speak for: the target and against it, or two classes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from preddiff.models.targets import AGAINST

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

FOR_AND_AGAINST = ("for", "against")

_LONGEST = 30  # characters of a name beside a colour bar


def sides(explanations: Iterable[Explanation]) -> tuple[str, str]:
    """Return words for both signs, which name the two classes where all contrast the same."""
    found = {_sides(each) for each in explanations}
    return found.pop() if len(found) == 1 else FOR_AND_AGAINST


def _sides(explanation: Explanation) -> tuple[str, str]:
    classes = explanation.labels[0].split(AGAINST)
    # A class may be called so; and of two such, nobody knows where the first one ends.
    if AGAINST not in str(explanation.provenance.get("target_of_output", "")) or len(classes) != 2:
        return FOR_AND_AGAINST
    first, second = (f"for {textwrap.shorten(each, _LONGEST, placeholder='…')}" for each in classes)
    return first, second
