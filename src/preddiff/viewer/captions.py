"""What every page says in words: how its maps were made, and their key figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from preddiff.render import colours
from preddiff.render.maps import DEFAULT_MAP, MAPS, Shown
from preddiff.render.mirrors import MIRROR, mirror_note
from preddiff.render.sides import FOR_AND_AGAINST, sides
from preddiff.results.comparison import titles
from preddiff.results.explanation import percent

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation
    from preddiff.types import Floats

_PICTURE_NOUNS = {"input": "picture", "units": "pixels", "unit": "pixel"}
_SCAN_NOUNS = {"input": "scan", "units": "voxels", "unit": "voxel"}

_UNCERTAIN = 0.25  # a relative error from which on a map's details are as likely noise

# A result names a sampler by the first word of its SPEC, or by its class if it was an object.
_CONSTANT = {"constant"}
_MARGINAL = {"marginal"}
_CONDITIONAL = {"conditional", "conditionalgaussian", "located", "channelwisegaussian"}


def caption_fields(explanations: Sequence[Explanation]) -> dict[str, object]:
    """Return the fields that `captions.html.j2` is filled with."""
    return {
        "kinds": kinds(explanations),
        "default_kind": default_kind(explanations),
        "sides": _two_classes(explanations),
        "nouns": _SCAN_NOUNS if explanations[0].coverage.ndim == 3 else _PICTURE_NOUNS,
        "explanations": [_how_made(each) for each in explanations],
        "numbers": [
            {"title": title if len(explanations) > 1 else "", **row}
            for title, each in zip(titles(explanations), explanations, strict=True)
            for row in _numbers(each)
        ],
        "of_probabilities": all(each.of_probabilities for each in explanations),
    }


def _two_classes(explanations: Sequence[Explanation]) -> tuple[str, str] | None:
    """Return what both signs speak for, where all contrast the same two classes."""
    found = sides(explanations)
    return None if found == FOR_AND_AGAINST else found


def kinds(explanations: Sequence[Explanation]) -> list[Shown]:
    """Return the kinds of maps that all results have, older ones having but one."""
    return [kind for kind in MAPS.values() if all(kind.name in each.data for each in explanations)]


def default_kind(explanations: Sequence[Explanation]) -> str:
    """Return the kind of map that a page begins with: the default, if all results have it."""
    names = [kind.name for kind in kinds(explanations)]
    return DEFAULT_MAP if DEFAULT_MAP in names else names[0]


def _how_made(explanation: Explanation) -> dict[str, object]:
    facts = explanation.provenance
    return {
        "provenance": {
            name: f"{value:.4g}" if isinstance(value, float) else value
            for name, value in facts.items()
            if name != MIRROR
        },
        "windows": _windows(explanation),
        "parts": explanation.parts,
        "sets": explanation.random_sets,
        "closed_form": not facts["samples"],
        "replacement": replacement(facts, is_volume=explanation.coverage.ndim == 3),
        "precision": [_precision(explanation, row) for row in range(len(explanation.labels))],
    }


def _precision(explanation: Explanation, row: int) -> dict[str, str]:
    """Return how precise a target's map is, and how much was measured, and a warning if need be."""
    facts = explanation.provenance
    error, is_noise = float(explanation.relative_errors[row]), bool(explanation.is_noise[row])
    exact = explanation.exactness
    sentences = [f"{exact.capitalize()}." if exact else _relative_error(error, is_noise)]
    if explanation.is_partial:
        sentences.append("Partial: stopped before the end.")
    if not np.nan_to_num(explanation.relevance.values[row]).any():
        sentences.append("The map is 0 everywhere: hiding no window changes the answer.")
    if mirror := mirror_note(explanation):
        sentences.append(f"{mirror[0].upper()}{mirror[1:]}.")
    if is_interpolated(explanation):
        visited = explanation.data.sizes["window"]
        sentences.append(
            f"{visited:,} of {facts['windows']:,} windows were measured; what lies between them is "
            "interpolated."
        )
    uncertain = not exact and (is_noise or (math.isfinite(error) and error > _UNCERTAIN))
    warning = (
        f"This map is uncertain: trust no details of it, or run it with more {explanation.effort}."
    )
    return {"text": " ".join(sentences), "warning": warning if uncertain else ""}


def _relative_error(error: float, is_noise: bool) -> str:
    if is_noise:
        return "No larger than its error: nothing in it can be told from zero."
    return (
        f"Relative error {percent(error)}." if math.isfinite(error) else "Its precision is unknown."
    )


def is_interpolated(explanation: Explanation) -> bool:
    """Return whether some windows were not visited, so that the map is interpolated there."""
    return bool(explanation.data.sizes["window"] < explanation.provenance.get("windows", 0))


def _windows(explanation: Explanation) -> dict[str, str]:
    """Return one window, and the size of several, in words; of regions, their number."""
    if explanation.regions is not None:
        count = explanation.data.sizes["window"]
        return {"one": "region", "size": f"{count} in all", "mean": ""}
    *smaller, largest = str(explanation.provenance["window"]).split(", ")
    if not smaller:
        size = largest.replace("x", "×")
        if largest.isdecimal():
            size = "×".join([largest] * explanation.coverage.ndim)
        return {"one": f"{size} window", "size": size, "mean": ""}
    unit = "voxels" if explanation.coverage.ndim == 3 else "pixels"
    sizes = [each.replace("x", "×") for each in (*smaller, largest)]
    size = f"{', '.join(sizes[:-1])} or {sizes[-1]} {unit}"
    return {
        "one": f"window of {size}",
        "size": size,
        "mean": ", averaged over the sizes",
    }


def replacement(facts: Mapping[str, object], *, is_volume: bool) -> str:
    """Return what stood in hidden windows, as a phrase that follows "replaced by".

    The sampler's own description, if the result has it. Older results only have its name, which is
    enough for the samplers of this package; of any other the page says no more than the name.
    """
    if described := str(facts.get("sampler_description", "")):
        return described
    sampler = str(facts["sampler"])
    kind = sampler.partition(":")[0].casefold()
    if kind in _CONSTANT:
        return "one value" if is_volume else "a patch of one colour"
    if kind in _MARGINAL:
        return f"what other {'scans' if is_volume else 'pictures'} have at the same place"
    if kind in _CONDITIONAL:
        around = f"given the {'voxels' if is_volume else 'pixels'} around it"
        return f"something else that could plausibly have stood there, {around}"
    return f"draws from {sampler}"


def _numbers(explanation: Explanation) -> list[dict[str, str]]:
    """Return the rows of the table of key figures, one for each target."""
    return [
        {
            "label": explanation.labels[row],
            "value": explanation.values[row],
            "unit": explanation.unit,
            "largest": f"{colours.limit(relevance):.3g}",
            "root_mean_square": f"{float(np.sqrt(np.nanmean(relevance**2))):.3g}",
            "mean_error": _mean_error(explanation.standard_error.values[row]),
        }
        for row, relevance in enumerate(explanation.relevance.values)
    ]


def _mean_error(errors: Floats) -> str:
    known = errors[np.isfinite(errors)]
    return f"{known.mean():.2g}" if known.size else "unknown (one draw per window)"
