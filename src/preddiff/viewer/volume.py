"""The page of volumes: planes, a rendering and an animation, drawn by NiiVue within one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.errors import SettingError
from preddiff.render import colours
from preddiff.render.strips import DEFAULT_THRESHOLD, contrast
from preddiff.results.comparison import differing_settings, titles
from preddiff.viewer.captions import words
from preddiff.viewer.encoding import FASTEST, packed_bytes
from preddiff.viewer.html import html, static
from preddiff.viewer.palettes import INTERVAL, PALETTES, are_exact
from preddiff.viewer.volume_encoding import LEVELS, Frame, frame, pack_map, pack_scan

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

_MAPS = ("map", "error")
_CHOICES = {"window": "Window size", "model": "Network", "samples": "Draws"}
_SCRIPTS = ("data", "flat", "niivue", "save", "play", "controls")
_LIVE = ("volume.live.js", "live.js")


def render(explanations: Sequence[Explanation], *, live: bool = False) -> str:
    """The page of explanations of one scan as HTML; a live one listens to its server.

    Raises
    ------
    SettingError
        If their scans are of different shapes, or lie elsewhere; or windows of a hidden node were
        hidden, whose values have no place in the scan.
    """
    first = explanations[0]
    for each in explanations:
        check(each)
    where = frame(first.coverage.shape, first.grid)
    for other in explanations[1:]:
        if not _alike(first, other):
            raise SettingError(
                f"scans of {_place(first)} and of {_place(other)}: expected the same scan; show "
                "each by itself"
            )
    choice, names = _choice(explanations)
    volumes = [pack_scan(first.picture.values.mean(axis=0), where)]
    return html(
        "volume.html.j2",
        styles=("page.css", "volume.css") + ("live.css",) * live,
        scripts=("sides.js", *(f"volume.{name}.js" for name in _SCRIPTS)) + _LIVE * live,
        talks=live,
        library="vendor/niivue.umd.js",
        licence=static("vendor/LICENSE.txt"),
        title=first.provenance["input"],
        live=live,
        facts={
            "palettes": {
                name: {
                    "colours": packed_bytes(_colours(palette.scale)),
                    "for": palette.plus,
                    "against": palette.minus,
                }
                for name, palette in PALETTES.items()
            },
            "interval": INTERVAL,
            "levels": LEVELS,
            "threshold": round(100 * DEFAULT_THRESHOLD),
            "scan": _scan(first, where),
            "choice": choice,
            "explanations": [
                {"name": name, **_explanation(each, where, volumes)}
                for name, each in zip(names, explanations, strict=True)
            ],
        },
        volumes=volumes,
        palettes=list(PALETTES),
        **words(explanations),
    )


def check(explanation: Explanation) -> None:
    """Raise a SettingError if the maps are of a hidden node's values: they lie on no scan."""
    if explanation.picture.shape[1:] != explanation.coverage.shape:
        raise SettingError(
            f"relevance of the values of {explanation.provenance['source']}: the page shows that "
            "of a scan's own voxels; leave source out"
        )


def news(explanation: Explanation) -> dict[str, Any]:
    """What the script of a live page gets of a new map."""
    where = frame(explanation.coverage.shape, explanation.grid)
    return {"targets": _targets(explanation, where, FASTEST)}


def _colours(scale: str) -> colours.Colours:
    """The colours (100, 256, 3) of a signed scale above every threshold in percent."""
    return np.stack([colours.gapped(percent / 100, scale) for percent in range(100)])


def _alike(one: Explanation, other: Explanation) -> bool:
    if one.grid is None or other.grid is None:
        return one.grid is other.grid and one.coverage.shape == other.coverage.shape
    return one.grid.is_like(other.grid)


def _place(explanation: Explanation) -> str:
    return str(explanation.grid or "×".join(str(n) for n in explanation.coverage.shape[::-1]))


def _choice(explanations: Sequence[Explanation]) -> tuple[str, list[str]]:
    """What a reader chooses an explanation by, and what each is called."""
    differing = differing_settings(explanations)
    if len(differing) == 1:
        [(setting, names)] = differing.items()
        return _CHOICES.get(setting, setting.capitalize()), names
    return "Explanation", titles(explanations)


def _scan(explanation: Explanation, where: Frame) -> dict[str, Any]:
    """What the script gets of the scan."""
    scan = explanation.picture.values.mean(axis=0)
    return {
        "shape": where.turned(scan).shape,
        "size": np.linalg.norm(where.affine[:3, :3], axis=0).tolist(),
        "affine": where.affine.tolist(),
        "oriented": where.oriented,
        "file": where.file,
        "contrast": contrast(scan),
    }


def _explanation(explanation: Explanation, where: Frame, volumes: list[str]) -> dict[str, Any]:
    """What the script gets of an explanation; its maps are added to `volumes`."""
    targets = [
        {
            name: _added(packed, volumes) if name in _MAPS else packed
            for name, packed in each.items()
        }
        for each in _targets(explanation, where)
    ]
    symbol = "p = " if explanation.of_probabilities else ""
    return {"unit": explanation.unit, "symbol": symbol, "targets": targets}


def _added(packed: str | None, volumes: list[str]) -> int | None:
    """The number under which the script finds a volume, if there is one."""
    if packed is None:
        return None
    volumes.append(packed)
    return len(volumes) - 1


def _targets(explanation: Explanation, where: Frame, level: int = 6) -> list[dict[str, Any]]:
    """What the script gets of each target, with its map and, unless that is exact, its error."""
    targets = []
    for row, label in enumerate(explanation.labels):
        packed, end = pack_map(explanation.relevance.values[row], where, level)
        errors = explanation.standard_error.values[row]
        targets.append(
            {
                "label": label,
                "value": explanation.values[row],
                "end": end,
                "map": packed,
                "error": None if are_exact(errors) else pack_map(errors, where, level)[0],
            }
        )
    return targets
