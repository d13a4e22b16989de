"""The page of volumes: planes, a rendering and an animation, drawn by NiiVue within one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.comparison import facets, titles
from preddiff.errors import SettingError
from preddiff.render import colours
from preddiff.render.strips import SHOWN, contrast
from preddiff.viewer.floats import packed_bytes
from preddiff.viewer.html import html, static
from preddiff.viewer.packed import LEVELS, Frame, frame, pack_map, pack_scan
from preddiff.viewer.words import words

if TYPE_CHECKING:
    from preddiff.explanation import Explanation

_CHOICES = {"window": "Window size", "model": "Network", "samples": "Draws"}
_SCRIPTS = ("data", "flat", "niivue", "save", "play", "controls")


def render(explanations: Sequence[Explanation]) -> str:
    """The page of explanations of one scan as HTML.

    Raises
    ------
    SettingError
        If their scans are of different shapes, or lie elsewhere; or windows of a hidden node were
        hidden, whose values have no place in the scan.
    """
    first = explanations[0]
    for each in explanations:
        if each.picture.shape[1:] != each.coverage.shape:
            raise SettingError(
                f"relevance of the values of {each.provenance['source']}: the page shows that of a "
                "scan's own voxels; leave source out"
            )
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
        styles=("page.css", "volume.css"),
        scripts=tuple(f"volume.{name}.js" for name in _SCRIPTS),
        library="vendor/niivue.umd.js",
        licence=static("vendor/LICENSE.txt"),
        title=first.provenance["input"],
        live=False,
        facts={
            "colours": packed_bytes(_colours()),
            "levels": LEVELS,
            "threshold": round(100 * SHOWN),
            "scan": _scan(first, where),
            "choice": choice,
            "explanations": [
                {"name": name, **_explanation(each, where, volumes)}
                for name, each in zip(names, explanations, strict=True)
            ],
        },
        volumes=volumes,
        **words(explanations),
    )


def _colours() -> colours.Bytes:
    """The colours (100, 256, 3) of a signed scale above every threshold in percent."""
    return np.stack([colours.gapped(percent / 100) for percent in range(100)])


def _alike(one: Explanation, other: Explanation) -> bool:
    if one.grid is None or other.grid is None:
        return one.grid is other.grid and one.coverage.shape == other.coverage.shape
    return one.grid.is_like(other.grid)


def _place(explanation: Explanation) -> str:
    return str(explanation.grid or "×".join(str(n) for n in explanation.coverage.shape[::-1]))


def _choice(explanations: Sequence[Explanation]) -> tuple[str, list[str]]:
    """What a reader chooses an explanation by, and what each is called."""
    differing = facets(explanations)
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
    targets = []
    for label, value, relevance in zip(
        explanation.labels, explanation.values, explanation.relevance.values, strict=True
    ):
        packed, end = pack_map(relevance, where)
        targets.append({"label": label, "value": value, "end": end, "map": len(volumes)})
        volumes.append(packed)
    symbol = "p = " if explanation.of_probabilities else ""
    return {"unit": explanation.unit, "symbol": symbol, "targets": targets}
