"""Sheet: a picture of typical places, what stands there, and what samplers draw instead."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from preddiff.media import ours
from preddiff.media.atomic import atomic_write
from preddiff.samplers.load import sampler_name
from preddiff.studies.sampler_check.scores import Example, Scores
from preddiff.types import Floats

_TILE = 1.1  # inches
_DPI = 110
_PLANES = ("axial", "coronal", "sagittal")


def write(scores: Mapping[str, Scores], path: Path) -> None:
    """Write a PNG: a row for each place and sampler; of scans, one for each plane as well.

    Parameters
    ----------
    scores : by the name of the sampler.
    """
    rows = [
        (f"{sampler_name(name)}\n{example.kind}{plane}", tiles, example.margin)
        for kind in range(len(next(iter(scores.values())).sheet))
        for name, each in scores.items()
        for example in [each.sheet[kind]]
        for plane, tiles in _planes(example)
    ]
    columns = max(len(tiles) for _, tiles, _ in rows)
    size = ((columns + 1.4) * _TILE, len(rows) * _TILE + 0.3)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    try:
        for line, (label, tiles, margin) in zip(axes, rows, strict=True):
            low, high = tiles[0].min(), tiles[0].max()
            for axis in line:
                axis.set_axis_off()
            for axis, tile in zip(line, tiles, strict=False):
                colours = {} if tile.ndim == 3 else {"cmap": "gray", "vmin": low, "vmax": high}
                axis.imshow(tile.clip(0, 1) if tile.ndim == 3 else tile, **colours)
                length = [n - 2 * margin for n in tile.shape[:2]]
                corner = (margin - 0.5, margin - 0.5)
                axis.add_patch(
                    Rectangle(corner, length[1], length[0], fill=False, ec="red", lw=0.6)
                )
            line[0].text(
                -0.1, 0.5, label, ha="right", va="center", fontsize=7, transform=line[0].transAxes
            )
        for number, axis in enumerate(axes[0]):
            axis.set_title("real" if number == 0 else f"draw {number}", fontsize=8)
        figure.subplots_adjust(left=1.4 / (columns + 1.4), right=1, bottom=0, top=0.95)
        with atomic_write(path) as written:
            figure.savefig(written, dpi=_DPI, format="png", metadata={"Software": ours.SIGN})
    finally:
        plt.close(figure)


def _planes(example: Example) -> list[tuple[str, list[Floats]]]:
    """The real tile and the drawn ones: (y, x, colour), or (y, x) of grey ones."""
    every = [example.real, *example.drawn]
    if example.real.ndim == 3:
        return [("", [np.squeeze(np.moveaxis(each, 0, -1)) for each in every])]
    middle = [n // 2 for n in example.real.shape[1:]]
    return [
        (f", {plane}", [each[0].take(middle[axis], axis=axis) for each in every])
        for axis, plane in enumerate(_PLANES)
    ]
