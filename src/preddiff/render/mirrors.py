"""Mirror images: of two classes, the second one's map is minus the first one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from preddiff.render.maps import MAPS, Shown
from preddiff.results.explanation import Explanation

if TYPE_CHECKING:
    from preddiff.types import AnyShape

_ROUNDING = 1e-6  # of the largest relevance

MIRROR = "mirror"
"""Among the attributes of what is shown: the class whose map is left out."""


def without_mirror(explanation: Explanation) -> Explanation:
    """Return an explanation without a map that is a mirror image: that of the less likely class.

    The odds of a class are the inverse of those of all others. So where two classes are all there
    are, evidence for one is evidence against the other, to the last bit but for rounding.
    """
    if not _is_mirrored(explanation):
        return explanation
    shown = int(explanation.prediction.values.argmax())
    left_out = explanation.labels[1 - shown]
    return Explanation(explanation.data.isel(target=[shown]).assign_attrs({MIRROR: left_out}))


def mirror_note(explanation: Explanation, shown: Shown = MAPS["relevance"]) -> str:
    """Return the words on the map that was left out; empty if none was."""
    left_out = explanation.provenance.get(MIRROR, "")
    how = "minus this one" if shown.signed else "the same"
    return f"the map for “{left_out}” is {how}" if left_out else ""


def _is_mirrored(explanation: Explanation) -> bool:
    if len(explanation.labels) != 2 or not explanation.of_probabilities:
        return False
    one, other = explanation.relevance.values
    return bool(abs(explanation.prediction.values.sum() - 1) < _ROUNDING) and _add_up(one, other)


def _add_up(one: AnyShape, other: AnyShape) -> bool:
    """Return whether two maps add up to 0 wherever they are known."""
    known = np.isfinite(one)
    if not np.array_equal(known, np.isfinite(other)):
        return False
    largest = np.abs(one[known]).max(initial=0.0)
    return bool(np.abs(one[known] + other[known]).max(initial=0.0) <= _ROUNDING * largest)
