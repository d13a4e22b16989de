"""The map of a result as a table: what each region of an atlas says, with its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np

from preddiff.errors import InputError, suggests_keywords
from preddiff.media import images, labels
from preddiff.media.input import Input
from preddiff.media.ours import REGION_COLUMNS
from preddiff.media.tables import rows_of
from preddiff.method.evidence import INTERVAL
from preddiff.method.regions import Regions, boxes
from preddiff.method.windows import Windows
from preddiff.results.region_boxes import boxes_around
from preddiff.types import Floats, Labels

if TYPE_CHECKING:
    import pandas as pd

    from preddiff.media.labels import RegionSource
    from preddiff.results.explanation import Explanation

RegionNames = Mapping[int, str] | Sequence[str] | str | Path
"""Names of regions: a mapping from numbers, a list that begins with that of 0 (the background), or
a look-up table as BIDS has it (.tsv or .csv, columns `index` and `name`)."""


@suggests_keywords
def region_table(
    explanation: Explanation,
    regions: RegionSource,
    names: RegionNames | None = None,
    *,
    resample: bool = False,
) -> pd.DataFrame:
    """Return what a map says of each region, those that matter most first.

    Parameters
    ----------
    regions : labels (*spatial) on the map, 0 where no region is; the path of a scan whose values
        are labels (an atlas); boxes along each axis, e.g. (4, 4); or a number of superpixels.
    names : of the regions, by their numbers.
    resample : take the nearest voxel of an atlas on another grid.

    Returns
    -------
    A row for each target and region with the columns `target`, `region` (its number), `name`,
    `elements` (pixels or voxels of it that have a relevance), `relevance` (their mean, in the
    result's unit), `standard_error` (of the mean), `total` (the sum of the relevance), `speaks`:
    "for" or "against" the target where the mean is more than 1.96 standard errors from 0, else
    "unclear" (its sign may be chance, or its error is unknown), and the box around the region,
    `x_from` to `z_to`: of a scan in mm, of a picture in pixels of the original, of an array in its
    elements.

    The error follows from those of the windows where each was measured by itself. Of maps that were
    interpolated, are of random sets or of windows of several sizes it is the mean of the pixels'
    errors: more than the error of their mean, as if all were wrong together.

    Raises
    ------
    InputError
        If the regions do not lie on the map, or names cannot be read.
    """
    import pandas as pd

    inside = labels_on(explanation, regions, resample=resample)
    # Where no window is, nothing is known.
    inside = np.where(np.isfinite(explanation.relevance.values[0]), inside, 0)
    if not inside.any():
        raise InputError("no region covers a part of the map: expected labels above 0 on it")
    parts = Regions.of(inside)
    counts = parts.sums(np.ones((1, *parts.shape)))[0]
    means = parts.sums(np.nan_to_num(explanation.relevance.values)) / counts
    errors = _errors(explanation, parts, counts)
    known, around = _named(names), boxes_around(explanation, parts)
    rows = [
        (
            *_row(label, int(parts.numbers[r]), known, int(counts[r]), means[t, r], errors[t, r]),
            *around[r],
        )
        for t, label in enumerate(explanation.labels)
        for r in np.argsort(-np.abs(means[t]), kind="stable")
    ]
    return pd.DataFrame(rows, columns=list(REGION_COLUMNS))


def _row(
    label: str, number: int, known: Mapping[int, str], count: int, mean: float, error: float
) -> tuple[str | float, ...]:
    speaks = "for" if mean > 0 else "against"
    is_clear = abs(mean) > INTERVAL * error  # not where the error is unknown
    named = known.get(number, "")
    return label, number, named, count, mean, error, mean * count, speaks if is_clear else "unclear"


def labels_on(explanation: Explanation, regions: RegionSource, *, resample: bool) -> Labels:
    """Return the number of the region that each pixel of a map belongs to, 0 of none.

    Raises
    ------
    InputError
        If the regions do not lie on the map.
    """
    picture = explanation.picture.values
    source = Input(picture, str(explanation.provenance["input"]), explanation.grid)
    opened = labels.open_regions(regions)
    if explanation.coverage.shape != picture.shape[1:]:
        raise InputError("the map is of a hidden node: regions are of the input")
    found = labels.on_input(opened, source, picture, images.to_array, resampled=resample)
    return boxes(picture.shape[1:], found.counts) if isinstance(found, labels.Boxes) else found


def _errors(
    explanation: Explanation, parts: Regions, counts: Annotated[Floats, "region"]
) -> Annotated[Floats, "target region"]:
    """Return the standard error of each region's mean."""
    windows = _windows_alone(explanation)
    if windows is None:
        return parts.sums(explanation.standard_error.values.astype(np.float64)) / counts
    # The map is Σ_w e_w / coverage over the windows w that cover a pixel. So the mean over a region
    # R is Σ_w a_w e_w, a_w = Σ_{p in R and w} 1 / (coverage(p) |R|), of independent e_w.
    squares = explanation.evidence_error.values.astype(np.float64) ** 2
    share = 1 / np.maximum(windows.coverage, 1)
    found = np.empty((len(squares), len(parts)))
    for r, number in enumerate(parts.numbers):
        weights = windows.sums(((parts.labels == number) * share)[None])[0] / counts[r]
        touched = weights > 0  # others may have an unknown error
        found[:, r] = np.sqrt(squares[:, touched] @ weights[touched] ** 2)
    return found


def _windows_alone(explanation: Explanation) -> Windows | None:
    """Return the windows, where each was measured by itself; None of any other map."""
    facts = explanation.provenance
    is_whole = explanation.data.sizes["window"] == facts["windows"]
    sizes = np.unique(explanation.window_sizes, axis=0)
    if facts.get("sets") or explanation.regions is not None or not is_whole or len(sizes) > 1:
        return None
    shape = explanation.coverage.shape
    starts = explanation.data["window_start"].values
    return Windows(shape, tuple(sizes[0].tolist()), starts)


def _named(names: RegionNames | None) -> dict[int, str]:
    """Return names by the numbers of regions."""
    if names is None:
        return {}
    if isinstance(names, Mapping):
        return {int(number): str(name) for number, name in names.items()}
    if not isinstance(names, str | Path):
        return {number: str(name) for number, name in enumerate(names)}
    rows = rows_of(Path(names), ("index", "name")).items()
    for line, row in rows:
        if not row["index"].isdecimal():
            raise InputError(
                f"{names}, line {line}: index {row['index']!r}: expected the number of a region"
            )
    return {int(row["index"]): row["name"] for _, row in rows}
