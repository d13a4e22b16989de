"""The page of volumes: planes, a rendering and an animation, drawn by NiiVue in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from preddiff.errors import SettingError
from preddiff.method.evidence import INTERVAL
from preddiff.render import colours
from preddiff.render.sides import sides
from preddiff.render.strips import DEFAULT_THRESHOLD, contrast
from preddiff.results.comparison import differing_settings, titles
from preddiff.results.confidence import are_exact
from preddiff.viewer.captions import caption_fields, default_kind, kinds
from preddiff.viewer.encoding import FASTEST, pack_bytes
from preddiff.viewer.html import fill_template, static_text
from preddiff.viewer.palettes import PALETTES
from preddiff.viewer.still import still
from preddiff.viewer.volume_encoding import (
    LEVELS,
    DisplayAxes,
    frame,
    pack_map,
    pack_scan,
    within_cap,
)

if TYPE_CHECKING:
    from preddiff.render.maps import Shown
    from preddiff.results.explanation import Explanation


class _Target(TypedDict):
    """What the script needs of a target: its layers are maps by their kinds."""

    label: str
    value: str
    layers: dict[str, dict[str, object]]


# Settings under another name than their own, in the singular and the plural.
_LEGENDS = {
    "window": ("Window size", "window sizes"),
    "model": ("Network", "networks"),
    "samples": ("Number of draws", "numbers of draws"),
}
_SHARED_SCRIPTS = ("select.js", "unpack.js", "evidence_colours.js")
_SCRIPTS = ("data", "canvas", "niivue", "save", "play", "controls")
_LIVE_SCRIPTS = ("volume.live.js", "live.js")


def render(
    explanations: Sequence[Explanation], *, live: bool = False, drawn: Path | None = None
) -> str:
    """Return the page of explanations of one scan as HTML; a live one listens to its server.

    Raises
    ------
    SettingError
        If their scans differ in shape or position, or if windows of a hidden node were hidden,
        whose values lie on no scan.
    """
    first = explanations[0]
    for each in explanations:
        check(each)
    where = _frame(explanations)
    for other in explanations[1:]:
        if not _same_grid(first, other):
            raise SettingError(
                f"scans of {_grid_text(first)} and of {_grid_text(other)}: expected the same scan; "
                "show each on its own"
            )
    volumes = [pack_scan(first.picture.values.mean(axis=0), where)]
    return fill_template(
        "volume.html.j2",
        {
            "licence": static_text("vendor/LICENSE.txt"),
            "title": first.provenance["input"],
            "live": live,
            "coarse": _coarse(where),
            "facts": _facts(explanations, where, volumes),
            "volumes": volumes,
            "palettes": list(PALETTES),
            "still": "" if live else still(explanations[0], default_kind(explanations), drawn),
            **caption_fields(explanations),
        },
        styles=("volume.css", *("live.css",) * live),
        scripts=(*(f"volume.{name}.js" for name in _SCRIPTS), *_LIVE_SCRIPTS * live),
        connects=live,
        library="vendor/niivue.umd.js",
    )


def _facts(
    explanations: Sequence[Explanation], where: DisplayAxes, volumes: list[str]
) -> dict[str, object]:
    """Return what the page's script starts with; the maps are added to `volumes`."""
    (legend, plural), names = _choice(explanations)
    return {
        "palettes": {
            name: {
                "colours": pack_bytes(_colours(palette.scale)),
                "for": palette.plus,
                "against": palette.minus,
            }
            for name, palette in PALETTES.items()
        },
        "sequential": pack_bytes(_colours(colours.SEQUENTIAL)),
        "kinds": {kind.name: {"signed": kind.signed} for kind in kinds(explanations)},
        "kind": default_kind(explanations),
        "interval": INTERVAL,
        "levels": LEVELS,
        "threshold": round(100 * DEFAULT_THRESHOLD),
        "scan": _scan(explanations[0], where),
        "choice": legend,
        "choices": plural,
        "explanations": [
            {"name": name, **_explanation(each, kinds(explanations), where, volumes)}
            for name, each in zip(names, explanations, strict=True)
        ],
    }


def check(explanation: Explanation) -> None:
    """Raise a SettingError if the maps are of a hidden node's values, which lie on no scan."""
    if explanation.picture.shape[1:] != explanation.coverage.shape:
        raise SettingError(
            f"relevance of the values of {explanation.provenance['source']}: the page of a scan "
            "shows the relevance of its voxels; leave source out"
        )


def update(explanation: Explanation) -> dict[str, object]:
    """Return what the script of a live page needs of a new map."""
    where = _frame([explanation])
    return {"targets": _targets(explanation, kinds([explanation]), where, FASTEST)}


def _colours(scale: str) -> colours.Colours:
    """Return the colours (100, 256, 3) of a scale above each threshold in percent."""
    return np.stack([colours.gapped(percent / 100, scale) for percent in range(100)])


def _frame(explanations: Sequence[Explanation]) -> DisplayAxes:
    """Return the frame of a page, with as large steps as its maps need to stay below the cap."""
    first = explanations[0]
    maps = sum(
        1 if are_exact(errors) else 2
        for each in explanations
        for kind in kinds(explanations)
        for errors in each.data[kind.error].values
    )
    return within_cap(frame(first.coverage.shape, first.grid), first.coverage.size, maps)


def _coarse(where: DisplayAxes) -> str:
    """Return what the page says of a scan or maps that it does not hold every voxel of."""
    parts = [
        f"{name} as means of {step}×{step}×{step} voxels"
        for name, step in (("the scan", where.scan_step), ("maps", where.map_step))
        if step > 1
    ]
    if not parts:
        return ""
    return (
        f"To stay small enough for a browser, this page holds {' and '.join(parts)}. The result "
        "file and the exported map have every voxel."
    )


def _same_grid(one: Explanation, other: Explanation) -> bool:
    if one.grid is None or other.grid is None:
        return one.grid is other.grid and one.coverage.shape == other.coverage.shape
    return one.grid.is_like(other.grid)


def _grid_text(explanation: Explanation) -> str:
    return str(explanation.grid or "×".join(str(n) for n in explanation.coverage.shape[::-1]))


def _choice(explanations: Sequence[Explanation]) -> tuple[tuple[str, str], list[str]]:
    """Return what a reader chooses an explanation by (one and several), and the name of each."""
    differing = differing_settings(explanations)
    if len(differing) == 1:
        [(setting, names)] = differing.items()
        return _LEGENDS.get(setting, (setting.capitalize(), f"{setting}s")), names
    return ("Explanation", "explanations"), titles(explanations)


def _scan(explanation: Explanation, where: DisplayAxes) -> dict[str, object]:
    """Return what the script needs of the scan."""
    scan = explanation.picture.values.mean(axis=0)
    return {
        "shape": where.turn(scan).shape,
        "size": np.linalg.norm(where.affine[:3, :3], axis=0).tolist(),
        "affine": where.affine.tolist(),
        "oriented": where.oriented,
        "file": where.file_axes,
        "contrast": contrast(scan),
    }


def _explanation(
    explanation: Explanation, shown: Sequence[Shown], where: DisplayAxes, volumes: list[str]
) -> dict[str, object]:
    """Return what the script needs of an explanation; its maps are added to `volumes`."""
    targets = _targets(explanation, shown, where)
    for target in targets:
        for layer in target["layers"].values():
            for name in ("map", "error"):
                layer[name] = _added(layer[name], volumes)
    symbol = "p = " if explanation.of_probabilities else ""
    return {
        "unit": explanation.unit,
        "symbol": symbol,
        "sides": sides([explanation]),
        "targets": targets,
    }


def _added(packed: object, volumes: list[str]) -> int | None:
    """Add a packed volume, if there is one, and return the number by which the script finds it."""
    if not isinstance(packed, str):
        return None
    volumes.append(packed)
    return len(volumes) - 1


def _targets(
    explanation: Explanation, shown: Sequence[Shown], where: DisplayAxes, level: int = 6
) -> list[_Target]:
    """Return what the script needs of each target."""
    return [
        {
            "label": label,
            "value": explanation.values[row],
            "layers": {kind.name: _layer(explanation, kind, row, where, level) for kind in shown},
        }
        for row, label in enumerate(explanation.labels)
    ]


def _layer(
    explanation: Explanation, kind: Shown, row: int, where: DisplayAxes, level: int
) -> dict[str, object]:
    """Return a map, its end and, unless it is exact, its error."""
    packed, end = pack_map(kind.of(explanation).values[row], where, level)
    errors = explanation.data[kind.error].values[row]
    error = None if are_exact(errors) else pack_map(errors, where, level)[0]
    return {"end": end, "map": packed, "error": error}
