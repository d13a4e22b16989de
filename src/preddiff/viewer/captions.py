"""What the pages of pictures and of volumes say alike: how maps were made, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.render import colours
from preddiff.results.comparison import titles
from preddiff.viewer.palettes import are_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from preddiff.results.explanation import Explanation

_PICTURE = {"whole": "picture", "parts": "pixels", "part": "pixel"}
_SCAN = {"whole": "scan", "parts": "voxels", "part": "voxel"}


def words(explanations: Sequence[Explanation]) -> dict[str, Any]:
    """What `captions.html.j2` is filled with."""
    return {
        "words": _SCAN if explanations[0].coverage.ndim == 3 else _PICTURE,
        "explanations": [_told(each) for each in explanations],
        "numbers": [
            {"title": title if len(explanations) > 1 else "", **row}
            for title, each in zip(titles(explanations), explanations, strict=True)
            for row in _numbers(each)
        ],
        "of_probabilities": all(each.of_probabilities for each in explanations),
    }


def _told(explanation: Explanation) -> dict[str, Any]:
    """How the maps of an explanation were made."""
    facts = explanation.provenance
    return {
        "provenance": facts,
        "size": "×".join([str(facts["window"])] * explanation.coverage.ndim),
        "behind": _behind(str(facts["sampler"]), volume=explanation.coverage.ndim == 3),
        "exact": _exact(facts) if are_exact(explanation.standard_error.values) else "",
    }


def _exact(facts: Mapping[str, Any]) -> str:
    if facts.get("engine") == "closed form":
        return "Exact: the mean over all draws that there are, in closed form."
    return "Exact: no more draws could have been taken than were."


def _behind(sampler: str, *, volume: bool) -> str:
    """What stood in a hidden window."""
    if sampler.casefold().startswith("constant"):
        return "one value" if volume else "a patch of one colour"
    if sampler.casefold().startswith("marginal"):
        return f"what other {'scans' if volume else 'pictures'} have at the same place"
    around = f"given the {'voxels' if volume else 'pixels'} around it"
    return f"something else that could plausibly have stood there, {around}"


def _numbers(explanation: Explanation) -> list[dict[str, str]]:
    """The rows of the table of numbers."""
    return [
        {
            "label": explanation.labels[row],
            "value": explanation.values[row],
            "unit": explanation.unit,
            "largest": f"{colours.limit(relevance):.3g}",
            "spread": f"{float(np.sqrt(np.nanmean(relevance**2))):.3g}",
            "mean_error": _mean(explanation.standard_error.values[row]),
        }
        for row, relevance in enumerate(explanation.relevance.values)
    ]


def _mean(error: NDArray[np.float64]) -> str:
    known = error[np.isfinite(error)]
    return f"{known.mean():.2g}" if known.size else "unknown (one draw per window)"
