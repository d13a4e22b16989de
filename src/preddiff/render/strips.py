"""Slices through volumes with a map over them, as in figures 9 to 12 of the paper."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from preddiff.errors import SettingError
from preddiff.render import colours
from preddiff.render.beside import Beside, maps_beside
from preddiff.render.drawing import Drawing
from preddiff.render.maps import MAPS, Shown
from preddiff.render.sides import sides
from preddiff.render.slices import PLANES, Plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from preddiff.media.grid import Grid
    from preddiff.results.explanation import Explanation

Volume = Annotated[NDArray[np.floating], "z y x"]

DEFAULT_THRESHOLD = 0.15
"""Share of the largest absolute value above which voxels are coloured, as in the paper."""

_LETTER_AND_RIM = ("white", "black")  # on a scan, which is dark around the head
_LETTER_POSITIONS = ((0.05, 0.5), (0.95, 0.5), (0.5, 0.06), (0.5, 0.94))  # left right bottom top
_OUTLINE_GREEN = "#12a012"
_PANEL_WIDTH, _PANEL_HEIGHT = 1.55, 1.45  # inches
_LETTERS_PER_INCH = 13  # of a title


@dataclass(frozen=True, eq=False)
class Strip:
    """Slices of one map, each over the scan and over the scan with reversed colours.

    Attributes
    ----------
    label : text to the left.
    scan, values : (z, y, x).
    cuts : plane and number of each slice.
    unit : of the values, as the colour bar says it.
    threshold : share of the largest absolute value above which voxels are coloured.
    outline : (z, y, x), a region whose border is drawn; None for none.
    scale : of the colours.
    in_unit : of the values; empty where they have none in common.
    """

    label: str
    scan: NDArray[np.floating]
    values: NDArray[np.floating]
    grid: Grid | None
    cuts: Sequence[tuple[str, int]]
    unit: str
    threshold: float = DEFAULT_THRESHOLD
    outline: NDArray[np.bool_] | None = None
    scale: str = colours.SIGNED
    in_unit: str = ""


@dataclass(frozen=True, eq=False)
class Look:
    """Content of a figure of a volume.

    Attributes
    ----------
    shown : the map.
    slices : texts PLANE:MM; empty for those that meet where the map is largest.
    threshold : as of a `Strip`.
    beside : a map below each target's, see `Beside`.
    """

    shown: Shown = MAPS["relevance"]
    slices: Sequence[str] = ()
    threshold: float = DEFAULT_THRESHOLD
    beside: Beside = None

    def __post_init__(self) -> None:
        if not (isinstance(self.threshold, int | float) and 0 <= self.threshold < 1):
            raise SettingError(
                f"threshold={self.threshold!r}: expected a share of the largest value, from 0 to "
                "below 1, e.g. 0.15"
            )


def strips_of(explanation: Explanation, title: str, look: Look) -> list[Strip]:
    """Return a strip per target, and one for each map beside it, of the same slices."""
    result = []
    for row, label in enumerate(explanation.labels):
        values = look.shown.of(explanation).values[row]
        symbol = "p" if explanation.of_probabilities else "value"
        cuts = [cut_at(each, explanation.grid, values.shape) for each in look.slices]
        own = Strip(
            label=(title and f"{title}\n") + f"{label}\n{symbol} = {explanation.values[row]}",
            scan=explanation.picture.values.mean(axis=0),
            values=values,
            grid=explanation.grid,
            cuts=cuts or cuts_through(peak(values), explanation.grid),
            unit=_bar_label(explanation, look.shown),
            threshold=look.threshold,
            scale=look.shown.scale,
            in_unit=explanation.unit,
        )
        beside = maps_beside(look.beside, explanation, row)
        result += [own] + [
            replace(own, label=name, values=each, unit=name, scale=colours.SIGNED, in_unit="")
            for name, each in beside.items()
        ]
    return result


def cut_at(text: str, grid: Grid | None, shape: tuple[int, ...]) -> tuple[str, int]:
    """Return the plane and number of a slice, PLANE:MM, e.g. sagittal:-32.

    Of a scan that does not say its directions, the number is that of a voxel.

    Raises
    ------
    SettingError
        If it is something else, or lies outside of the scan.
    """
    name, _, position = text.partition(":") if isinstance(text, str) else ("", "", "")
    try:
        mm = float(position.replace("−", "-"))
    except ValueError:
        raise SettingError(
            f"slice {text!r}: expected PLANE:MM, e.g. sagittal:-32; planes are {', '.join(PLANES)}"
        ) from None
    plane = Plane.of(grid, name)
    ends = [plane.position(n) for n in (0, shape[plane.axes[2]] - 1)]
    if not min(ends) - plane.step <= mm <= max(ends) + plane.step:
        raise SettingError(
            f"slice {text!r}: the scan reaches from {min(ends):.4g} to {max(ends):.4g} along it"
        )
    return name, plane.nearest_slice(mm)


def _bar_label(explanation: Explanation, shown: Shown) -> str:
    unit = explanation.unit
    above, below = sides([explanation])
    return f"{below} ← {unit} → {above}" if shown.signed else shown.bar_label(unit)


def peak(values: NDArray[np.floating]) -> tuple[int, ...]:
    """Return the voxel (z, y, x) with the largest absolute value; of a map of zeros, its middle."""
    sizes = np.nan_to_num(np.abs(values))
    if not sizes.any():
        return tuple(length // 2 for length in values.shape)
    largest = int(sizes.argmax())
    return tuple(int(n) for n in np.unravel_index(largest, values.shape))


def cuts_through(voxel: tuple[int, ...], grid: Grid | None) -> list[tuple[str, int]]:
    """Return the slices of the three planes that meet in a voxel (z, y, x)."""
    return [(name, voxel[Plane.of(grid, name).axes[2]]) for name in PLANES]


def strips(rows: Sequence[Strip], title: str, notes: Sequence[str] = ()) -> Figure:
    """Return a row per strip, each with its own colour bar; the title says it is no diagnosis.

    Parameters
    ----------
    notes : sentences below.
    """
    columns = max(len(row.cuts) for row in rows)
    drawing = Drawing(
        figsize=(2 * _PANEL_WIDTH * columns + 1.6, _PANEL_HEIGHT * len(rows) * 1.12 + 0.6),
        layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.02),
    )
    panels = drawing.subplots(len(rows), 2 * columns, squeeze=False)
    for row, axes in zip(rows, panels, strict=True):
        _draw(drawing, row, axes)
    title = f"{title}; {_shown(rows)} · not for diagnosis"
    wrapped = textwrap.fill(title, int(_LETTERS_PER_INCH * drawing.get_figwidth()))
    drawing.suptitle(wrapped, fontsize=10, parse_math=False)
    below = "\n".join(filter(None, [_explained(rows), " ".join(notes)]))
    drawing.supxlabel(below, fontsize=8, parse_math=False)
    return drawing


def _shown(rows: Sequence[Strip]) -> str:
    """Return which values are coloured; of one map, from which on."""
    shares = sorted({row.threshold for row in rows})
    if shares == [0]:
        return "shown is every value but 0"
    share = f"{' or '.join(f'{100 * share:.3g} %' for share in shares)} of the maximum"
    first, *others = rows
    if others or not first.in_unit:
        return f"shown above {share}"
    least = first.threshold * colours.limit(first.values)
    return f"shown above {least:.3g} {first.in_unit} ({share})"


def _explained(rows: Sequence[Strip]) -> str:
    text = "green: where the scan truly differs; "
    outlined = any(row.outline is not None for row in rows)
    return f"{text if outlined else ''}right of each pair: scan in reversed colours"


def _draw(drawing: Figure, row: Strip, axes: NDArray[np.object_]) -> None:
    end = colours.limit(row.values)
    begin = 0 if row.scale == colours.SEQUENTIAL else -end
    for panel in axes:
        panel.axis("off")
    for (name, number), over, reverse in zip(row.cuts, axes[::2], axes[1::2], strict=False):
        plane = Plane.of(row.grid, name)
        scan = plane.cut(_grey(row.scan), number)
        values = plane.cut(row.values, number)
        for panel, grey, ink in (
            (over, scan, _LETTER_AND_RIM),
            (reverse, 255 - scan, _LETTER_AND_RIM[::-1]),
        ):
            image = colours.thresholded(
                np.repeat(grey[..., None], 3, axis=-1), values, end, row.threshold, row.scale
            )
            panel.imshow(image, interpolation="nearest", aspect=plane.aspect)
            if row.outline is not None and (border := plane.cut(row.outline, number)).any():
                panel.contour(border, [0.5], colors=_OUTLINE_GREEN, linewidths=0.8)
            if plane.letters is not None:
                _letter(panel, plane.letters, *ink)
        over.set_title(plane.caption(number), fontsize=8, loc="left", pad=3)
    # As text, not as an axis label: the axes of panels are switched off, with their labels.
    axes[0].text(
        -0.06, 0.5, row.label, transform=axes[0].transAxes, rotation=90, fontsize=9,
        ha="right", va="center", multialignment="center", parse_math=False,
    )  # fmt: skip
    scale = ListedColormap(colours.gapped(row.threshold, row.scale) / 255)
    bar = drawing.colorbar(
        ScalarMappable(Normalize(begin, end), scale), ax=list(axes), fraction=0.03, pad=0.01
    )
    bar.set_label(row.unit, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _letter(panel: Axes, letters: tuple[str, str, str, str], ink: str, rim: str) -> None:
    """Write the body's directions at the four edges."""
    for letter, (x, y) in zip(letters, _LETTER_POSITIONS, strict=True):
        panel.text(
            x, y, letter, transform=panel.transAxes, color=ink, fontsize=8, weight="bold",
            ha="center", va="center", path_effects=[withStroke(linewidth=1.2, foreground=rim)],
        )  # fmt: skip


def _grey(scan: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the scan as bytes from black to white."""
    low, high = contrast(scan)
    return np.asarray(np.rint(255 * np.clip((scan - low) / (high - low), 0, 1)), dtype=np.uint8)


def contrast(scan: NDArray[np.floating]) -> tuple[float, float]:
    """Return the values that are black and white: the middle 99 % of what is not background.

    Without the background, which may be most of a scan, and without the extremes, which may be
    a few bright vessels: either would leave the tissue in a narrow range of greys.
    """
    tissue = scan[scan != scan.flat[0]]  # a corner is background
    low, high = np.quantile(tissue, (0.005, 0.995)) if tissue.size else (0.0, 1.0)
    low = min(float(low), float(scan.flat[0]))
    return low, float(high) if high > low else low + 1
