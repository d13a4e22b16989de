"""One page of many results: thumbnails, filters, links, and the maps of groups."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from PIL import Image

from preddiff.media import ours
from preddiff.media.atomic import atomic_write
from preddiff.render import colours, overlay
from preddiff.render.slices import Plane
from preddiff.render.strips import peak
from preddiff.viewer.encoding import pack_text
from preddiff.viewer.html import fill_template

if TYPE_CHECKING:
    from preddiff.media.grid import Grid
    from preddiff.render.colours import Colours
    from preddiff.results.explanation import Explanation
    from preddiff.types import Floats

_THUMBNAIL = 72  # pixels of its longer side: thousands of them go into a page
_LEAST_WIDTH = 220  # of a slice in a map of a group, in pixels


@dataclass(frozen=True)
class Listing:
    """A result in a report.

    Attributes
    ----------
    name, input, label, value : of the result, its input, its first target and the prediction.
    group : that it belongs to; "" without groups.
    prediction : as a number, to be sorted by.
    error : relative error of the map, to be sorted by; None where it is unknown.
    precision : how precise the map is, in words; "" of results that cannot be read.
    unlike : 1 - the correlation with the mean map of the others of its label; None of single ones.
    note : what a reader has to know, such as partial; of results that cannot be read, why.
    link : of the result's own page, from the report's folder; "" where there is none.
    thumbnail : the map over the input, as a data URI.
    """

    name: str
    input: str
    label: str
    value: str
    group: str
    prediction: float | None
    error: float | None
    precision: str
    unlike: float | None
    note: str
    link: str
    thumbnail: str


@dataclass(frozen=True)
class GroupPicture:
    """A map of a group, or of the difference of two.

    Attributes
    ----------
    title, note : in words.
    image : as a data URI.
    """

    title: str
    note: str
    image: str


def report(
    listings: Sequence[Listing],
    groups: Sequence[GroupPicture],
    path: Path,
    *,
    title: str,
    note: str = "",
    summary: str = "",
) -> Path:
    """Write the page; it shows a hundred results at a time, so that thousands open at once.

    Parameters
    ----------
    note : why there are no maps of groups, where there are none.
    summary : name of the table beside the page that has every input; "" where there is none.

    Raises
    ------
    ResultError
        If the file cannot be written, or would replace one that is no page of ours.
    """
    ours.check_destination(path, ours.is_page)
    text = fill_template(
        "report.html.j2",
        {
            "title": title,
            "note": note,
            "summary": quote(summary),
            "groups": groups,
            "count": len(listings),
            "labels": sorted({each.label for each in listings if each.label}),
            "names": sorted({each.group for each in listings if each.group}),
            "listings": pack_text(json.dumps([asdict(each) for each in listings])),
        },
        styles=("report.css",),
        scripts=("report.js",),
    )
    with atomic_write(path) as written:
        written.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def thumbnail(explanation: Explanation) -> str:
    """Return the first target's map over the input, or of a scan a slice, as a small data URI."""
    values = explanation.relevance.values[0]
    picture = explanation.picture.values
    if values.ndim == 3:
        plane = Plane.of(explanation.grid, "axial")
        number = peak(values)[plane.axes[2]]
        picture = plane.cut(_scaled(picture.mean(axis=0)), number)[None]
        values = plane.cut(values, number)
    if values.ndim != 2:
        return ""  # channels and units lie nowhere
    if picture.shape[1:] != values.shape:  # over a hidden node
        values = overlay.stretched(values, picture.shape[1:])
    shown = overlay.overlay(picture, values, colours.limit(values))
    image = Image.fromarray(shown)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return _uri(image, "WEBP", quality=60)


def slices(
    values: Floats,
    background: Floats,
    grid: Grid | None,
    *,
    end: float,
    scale: str = colours.SIGNED,
    at: tuple[int, ...] | None = None,
) -> str:
    """Return three slices of a map (z, y, x) over a scan, side by side, as a data URI.

    Parameters
    ----------
    background : (z, y, x), the scan below the map.
    end, scale : of the colours; errors are shown without the scan.
    at : the voxel that all go through; None is where the map is largest.
    """
    at = peak(values) if at is None else at
    behind = _scaled(background)
    cuts = []
    for name in ("sagittal", "coronal", "axial"):
        plane = Plane.of(grid, name)
        number = at[plane.axes[2]]
        cut = plane.cut(values, number)
        shown = (
            colours.unsigned(cut, end, scale)
            if scale == colours.ERROR
            else overlay.overlay(plane.cut(behind, number)[None], cut, end, scale)
        )
        cuts.append(_enlarged(shown, plane.aspect))
    return _uri(_side_by_side(cuts), "PNG")


def _scaled(scan: Floats) -> Floats:
    """Return a scan in [0, 1], whatever its units."""
    low, high = np.nanpercentile(scan, [1, 99])
    return np.asarray(np.clip((scan - low) / max(high - low, 1e-12), 0, 1))


def _enlarged(shown: Colours, aspect: float) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(shown))
    factor = max(1, -(-_LEAST_WIDTH // image.width))
    size = (image.width * factor, max(1, round(image.height * factor * aspect)))
    return image.resize(size, Image.Resampling.NEAREST)


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    width, height = sum(each.width for each in images), max(each.height for each in images)
    whole = Image.new("RGB", (width, height), "white")
    left = 0
    for each in images:
        whole.paste(each, (left, (height - each.height) // 2))
        left += each.width
    return whole


def _uri(image: Image.Image, kind: str, **options: int) -> str:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(written.getvalue()).decode()}"
