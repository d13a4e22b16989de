"""The page of pictures: maps that a reader can compare, threshold and read values from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preddiff.method.evidence import INTERVAL
from preddiff.render import colours, overlay
from preddiff.render.sides import sides
from preddiff.results.comparison import differing_settings, titles
from preddiff.viewer.captions import caption_fields, default_kind, is_interpolated, kinds
from preddiff.viewer.encoding import FASTEST, THREE_DIGITS, pack_bytes, pack_floats
from preddiff.viewer.html import fill_template
from preddiff.viewer.palettes import PALETTES
from preddiff.viewer.still import still

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation
    from preddiff.types import Floats

_SCRIPTS = ("data", "paint", "covering", "save", "tiles", "controls")
_SHARED_SCRIPTS = ("select.js", "unpack.js", "evidence_colours.js")
_LIVE_SCRIPTS = ("picture.live.js", "live.js")
_LEGENDS = {"target": "Explain", "model": "Network", "samples": "Draws"}


def render(
    explanations: Sequence[Explanation], *, live: bool = False, drawn: Path | None = None
) -> str:
    """Return the page of explanations of one picture as HTML; a live one listens to its server."""
    differing = differing_settings(explanations)
    # A reader finds a map by its choices, so no two maps may have the same: where explanations do
    # not differ in what `differing_settings` compares, their numbered titles are the choice.
    if len(set(zip(*differing.values(), strict=True))) < len(explanations) > 1:
        differing = {"result": titles(explanations)}
    return fill_template(
        "picture.html.j2",
        {
            "live": live,
            "facts": _facts(explanations, differing),
            "selectors": _selectors(explanations, differing),
            "title": explanations[0].provenance["input"],
            "palettes": list(PALETTES),
            "still": "" if live else still(explanations[0], default_kind(explanations), drawn),
            **caption_fields(explanations),
        },
        styles=("picture.css", *("live.css",) * live),
        scripts=(*(f"picture.{name}.js" for name in _SCRIPTS), *_LIVE_SCRIPTS * live),
        connects=live,
    )


def _facts(
    explanations: Sequence[Explanation], differing: dict[str, list[str]]
) -> dict[str, object]:
    """Return what the page's script starts with."""
    settings = titles(explanations) if len(explanations) > 1 else [""]
    pictures: dict[bytes, dict[str, object]] = {}
    return {
        "signed": {
            name: {
                "table": colours.table(palette.scale).tolist(),
                "for": palette.plus,
                "against": palette.minus,
            }
            for name, palette in PALETTES.items()
        },
        "kinds": {
            kind.name: {"signed": kind.signed, "caption": kind.caption}
            for kind in kinds(explanations)
        },
        "order": [kind.name for kind in kinds(explanations)],
        "kind": default_kind(explanations),
        "sequential": colours.table(colours.SEQUENTIAL).tolist(),
        "error": colours.table(colours.ERROR).tolist(),
        "unknown": colours.UNKNOWN,
        "opaque": overlay.OPAQUE,
        "interval": INTERVAL,
        "explanations": [_explanation(each, pictures) for each in explanations],
        "pictures": list(pictures.values()),  # after the explanations, which add them
        "maps": [
            {"explanation": number, "choices": choices, "name": name, **arrays}
            for number, each in enumerate(explanations)
            for choices, name, arrays in zip(
                _choices(each, differing, number),
                _names(each, settings[number]),
                maps(each),
                strict=True,
            )
        ],
    }


def update(explanation: Explanation) -> dict[str, object]:
    """Return what the script of a live page needs of a new map."""
    return {
        "isPartial": is_interpolated(explanation),
        "corners": corners(explanation, FASTEST),
        "lengths": lengths(explanation, FASTEST),
        "maps": maps(explanation, FASTEST),
    }


def maps(explanation: Explanation, level: int = 6) -> list[dict[str, object]]:
    """Return what a page's script needs of each target, packed at a level of compression."""
    return [
        {
            "target": row,
            "label": explanation.labels[row],
            "value": explanation.values[row],
            "layers": {
                kind.name: _layer(
                    kind.of(explanation).values[row],
                    explanation.data[kind.error].values[row],
                    level,
                )
                for kind in kinds([explanation])
            },
            "evidence": pack_floats(explanation.evidence.values[row], THREE_DIGITS, level),
            "evidenceError": pack_floats(
                explanation.evidence_error.values[row], THREE_DIGITS, level
            ),
        }
        for row in range(len(explanation.labels))
    ]


def _layer(values: Floats, errors: Floats, level: int) -> dict[str, object]:
    """Return a map and its standard error (y, x), packed, with the largest value of each."""
    return {
        "values": pack_floats(values, level=level),
        "error": pack_floats(errors, level=level),
        "largest": _largest(values),
        "largestError": _largest(errors),
    }


def _largest(values: Floats) -> float:
    """Return the largest absolute value; 0 where all are unknown.

    Rounded to float32 as all values in the page are. In float64 it could be a bit above the value
    that it is the largest of, which would then not reach the end of its own scale.
    """
    return float(np.abs(colours.as_float32(np.nan_to_num(values))).max())


def corners(explanation: Explanation, level: int = 6) -> str:
    """Return the first row and column of each window (window, axis), packed as floats.

    float32 holds whole numbers up to 2²⁴ exactly, far more than a picture has rows.
    """
    return pack_floats(explanation.data["window_start"].values.astype(np.float32), level=level)


def lengths(explanation: Explanation, level: int = 6) -> str:
    """Return the height and width of each window (window, axis), packed as floats."""
    return pack_floats(explanation.window_sizes.astype(np.float32), level=level)


def _explanation(
    explanation: Explanation, pictures: dict[bytes, dict[str, object]]
) -> dict[str, object]:
    """Return what the script needs of an explanation; a new picture is added to `pictures`.

    Explanations of one network share a picture: it is the largest part of a page, and stored once.
    """
    values = explanation.picture.values
    key = values.tobytes()
    if key not in pictures:
        pictures[key] = {
            "colour": pack_bytes(overlay.rgb(values)),
            "grey": pack_bytes(overlay.greyed(values)),
        }
    return {
        "picture": list(pictures).index(key),
        "shape": explanation.coverage.shape,
        "crop": explanation.crop,
        "sides": sides([explanation]),
        "pictureShape": values.shape[1:],  # a hidden node's map is stretched over it
        "corners": corners(explanation),
        "lengths": lengths(explanation),
        "areRegions": explanation.regions is not None,  # no boxes, to be listed around a pixel
        "unit": explanation.unit,
        "settings": _settings(explanation),
        "isPartial": is_interpolated(explanation),
        "gaps": bool((explanation.coverage.values == 0).any()),
    }


def _settings(explanation: Explanation) -> str:
    """Return the line below a saved picture, which has to speak for itself."""
    facts = explanation.provenance
    hidden = f"window {facts['window']}, stride {facts['stride']}"
    if explanation.regions is not None:
        hidden = f"{explanation.data.sizes['window']} regions"
    return (
        f"{facts['model']}, {hidden}, "
        f"{explanation.draws}, {facts['sampler']} · preddiff {facts['preddiff_version']}"
    )


def _choices(
    explanation: Explanation, differing: dict[str, list[str]], number: int
) -> list[list[str]]:
    """Return what each target's map is found by: its label, then the settings that differ."""
    return [[label, *(each[number] for each in differing.values())] for label in explanation.labels]


def _names(explanation: Explanation, settings: str) -> list[str]:
    """Return what each target's map is called among those of other settings."""
    return [f"{label} · {settings}" if settings else label for label in explanation.labels]


def _selectors(
    explanations: Sequence[Explanation], differing: dict[str, list[str]]
) -> list[dict[str, object]]:
    """Return what a reader chooses a map by, each with its options."""
    labels = [label for each in explanations for label in each.labels]
    chosen = {"target": labels, **differing}
    return [
        {
            "name": name,
            "legend": _LEGENDS.get(name, name.capitalize()),
            "options": list(dict.fromkeys(options)),
        }
        for name, options in chosen.items()
    ]
