"""The page of pictures: maps that a reader can compare, threshold and ask for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.render import colours, overlay
from preddiff.results.comparison import differing_settings, titles
from preddiff.viewer.captions import words
from preddiff.viewer.encoding import FASTEST, THREE_DIGITS, packed, packed_bytes
from preddiff.viewer.html import html
from preddiff.viewer.palettes import INTERVAL, PALETTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from preddiff.results.explanation import Explanation

_SCRIPTS = ("data", "paint", "covering", "save", "tiles", "controls")
_LIVE = ("picture.live.js", "live.js")
_LEGENDS = {"model": "Network", "sampler": "Hidden behind", "samples": "Draws", "result": "Result"}


def render(explanations: Sequence[Explanation], *, live: bool = False) -> str:
    """The page of explanations of one picture as HTML; a live one listens to its server."""
    differing = differing_settings(explanations)
    if len(set(zip(*differing.values(), strict=True))) < len(explanations) > 1:
        differing = {"result": titles(explanations)}
    settings = titles(explanations) if len(explanations) > 1 else [""]
    pictures: dict[bytes, dict[str, Any]] = {}
    return html(
        "picture.html.j2",
        styles=("page.css", "picture.css") + ("live.css",) * live,
        scripts=("sides.js", *(f"picture.{name}.js" for name in _SCRIPTS)) + _LIVE * live,
        talks=live,
        live=live,
        facts={
            "signed": {
                name: {
                    "table": colours.table(palette.scale).tolist(),
                    "for": palette.plus,
                    "against": palette.minus,
                }
                for name, palette in PALETTES.items()
            },
            "error": colours.table(colours.ERROR).tolist(),
            "unknown": colours.UNKNOWN,
            "opaque": overlay.OPAQUE,
            "interval": INTERVAL,
            "explanations": [_explanation(each, pictures) for each in explanations],
            "pictures": list(pictures.values()),
            "maps": [
                {"explanation": number, "choices": choices, "name": name, **fields}
                for number, each in enumerate(explanations)
                for choices, name, fields in zip(
                    _choices(each, differing, number),
                    _names(each, settings[number]),
                    maps(each),
                    strict=True,
                )
            ],
        },
        selectors=_selectors(explanations, differing),
        title=explanations[0].provenance["input"],
        palettes=list(PALETTES),
        **words(explanations),
    )


def news(explanation: Explanation) -> dict[str, Any]:
    """What the script of a live page gets of a new map."""
    return {
        "partly": _is_partial(explanation),
        "corners": corners(explanation, FASTEST),
        "maps": maps(explanation, FASTEST),
    }


def maps(explanation: Explanation, level: int = 6) -> list[dict[str, Any]]:
    """What a page's script gets of each target."""
    return [
        {
            "label": explanation.labels[row],
            "value": explanation.values[row],
            "largest": _largest(explanation.relevance.values[row]),
            "largestError": _largest(explanation.standard_error.values[row]),
            "relevance": packed(explanation.relevance.values[row], level=level),
            "error": packed(explanation.standard_error.values[row], level=level),
            "evidence": packed(explanation.evidence.values[row], THREE_DIGITS, level),
            "evidenceError": packed(explanation.evidence_error.values[row], THREE_DIGITS, level),
        }
        for row in range(len(explanation.labels))
    ]


def _largest(values: NDArray[np.float64]) -> float:
    """The largest absolute value, in the digits that the page holds; 0 where all are unknown."""
    return float(np.abs(colours.as_held(np.nan_to_num(values))).max())


def corners(explanation: Explanation, level: int = 6) -> str:
    """The first row and column of each window (window, axis)."""
    return packed(explanation.data["window_start"].values.astype(np.float32), level=level)


def _explanation(explanation: Explanation, pictures: dict[bytes, dict[str, Any]]) -> dict[str, Any]:
    """What the script gets of an explanation; its picture is added to `pictures` if it is new."""
    values = explanation.picture.values
    key = values.tobytes()
    if key not in pictures:
        pictures[key] = {
            "colour": packed_bytes(overlay.rgb(values)),
            "grey": packed_bytes(overlay.greyed(values)),
        }
    return {
        "picture": list(pictures).index(key),
        "shape": explanation.coverage.shape,
        "pictureShape": values.shape[1:],  # a hidden node's map is stretched over it
        "window": int(explanation.provenance["window"]),
        "corners": corners(explanation),
        "unit": explanation.unit,
        "settings": _settings(explanation),
        "partly": _is_partial(explanation),
        "gaps": bool((explanation.coverage.values == 0).any()),
    }


def _is_partial(explanation: Explanation) -> bool:
    """Whether some windows were not visited, and the map lies between those that were."""
    return bool(explanation.data.sizes["window"] < explanation.provenance["windows"])


def _settings(explanation: Explanation) -> str:
    """What has to be said of a map that leaves the page as a picture."""
    facts = explanation.provenance
    return (
        f"{facts['model']}, window {facts['window']}, stride {facts['stride']}, "
        f"{explanation.draws}, {facts['sampler']} · preddiff {facts['preddiff_version']}"
    )


def _choices(
    explanation: Explanation, differing: dict[str, list[str]], number: int
) -> list[list[str]]:
    """What each target's map is found by: its label, then the settings that differ."""
    return [[label, *(each[number] for each in differing.values())] for label in explanation.labels]


def _names(explanation: Explanation, settings: str) -> list[str]:
    """What each target's map is called among others, of explanations by other settings."""
    return [f"{label} · {settings}" if settings else label for label in explanation.labels]


def _selectors(
    explanations: Sequence[Explanation], differing: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """What a reader chooses a map by, each with its options."""
    labels = [label for each in explanations for label in each.labels]
    chosen = {"target": labels, **differing}
    return [
        {
            "name": name,
            "legend": "Explain" if name == "target" else _LEGENDS.get(name, name.capitalize()),
            "options": list(dict.fromkeys(options)),
        }
        for name, options in chosen.items()
    ]
