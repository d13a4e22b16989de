"""Figures in the manner of the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from preddiff.errors import SettingError, suggests_keywords
from preddiff.render import colours, outlines
from preddiff.render.bars import bars
from preddiff.render.beside import Beside
from preddiff.render.drawing import Drawing
from preddiff.render.lines import lines
from preddiff.render.maps import DEFAULT_MAP, Shown, map_named
from preddiff.render.matrices import matrices
from preddiff.render.mirrors import mirror_note, without_mirror
from preddiff.render.overlay import overlay, rgb, stretched
from preddiff.render.panels import colour_bar, show_image
from preddiff.render.sides import sides
from preddiff.render.strips import DEFAULT_THRESHOLD, Look, strips, strips_of
from preddiff.results.comparison import Comparison
from preddiff.results.explanation import Explanation
from preddiff.results.interactions import Interactions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@suggests_keywords
def figure(
    explanation: Explanation | Sequence[Explanation] | Interactions,
    map: str = DEFAULT_MAP,  # noqa: A002 - the word for it everywhere
    *,
    slices: Sequence[str] = (),
    threshold: float = DEFAULT_THRESHOLD,
    beside: Beside = None,
) -> Figure:
    """Return a figure of an explanation, of several of one input side by side, or of interactions.

    It opens no window: save it with `savefig`. Of pictures, there is a row per target: the picture,
    its sensitivity map, the relevance, and the relevance over the greyed picture. Rows of the same
    unit share one symmetric scale, so that their colours can be compared; where the model has no
    gradient, the sensitivity map is left out. A hidden node's map is drawn over the whole picture.
    Maps of other methods (`baselines`) stand beside the sensitivity map, each on its own scale.

    Of a volume, it shows the three slices that meet where the target's relevance is largest, as
    figures 9 to 12 of the paper do. Of a node's channels, it shows the strongest. Of a signal, it
    shows lines over time.

    Where two classes are all there are, one's map is minus the other's, and only one is drawn.

    Of interactions, it shows the regions over the picture, each in the colour of its own evidence,
    lines between the pairs that interact most, and the matrix of all pairs.

    Parameters
    ----------
    map : "relevance", evidence for and against, or "importance", how much the answer depends on
        each place, either way.
    slices : of a volume, instead of those through its peak: PLANE:MM, e.g. "sagittal:-32".
    threshold : of a volume, the share of the largest absolute value above which voxels are
        coloured.
    beside : of a volume, a map below that of each target, in the same slices and on a scale of its
        own (figure 9 of the paper): a linear model, whose weights are shown; an array (z, y, x) or
        the path of a NIfTI file; or a mapping from names to such maps.

    Raises
    ------
    SettingError
        If there is no such slice or map, or an older result does not have it; if slices, threshold
        or beside are asked for of what is no volume; if the inputs or the kinds of the explanations
        differ, or they are of single units.
    """
    if isinstance(explanation, Interactions):
        return matrices(explanation)
    given = [explanation] if isinstance(explanation, Explanation) else explanation
    several = Comparison([without_mirror(each) for each in given])
    chosen = map_named(map)
    look = Look(chosen, tuple(slices), threshold, beside)
    axes = {each.coverage.dims for each in several}
    if axes == {("z", "y", "x")}:
        rows = [strip for title, each in _titled(several) for strip in strips_of(each, title, look)]
        notes = dict.fromkeys(note for each in several for note in _notes(each, chosen))
        return strips(rows, _of_scan(several, chosen), list(notes))
    if look.slices or look.threshold != DEFAULT_THRESHOLD or look.beside is not None:
        raise SettingError("slices, threshold and beside: are of volumes; leave them out")
    if axes == {("time",)}:
        return lines(list(_titled(several)), chosen)
    if axes in ({("channel",)}, {("feature",)}):
        return bars(list(_titled(several)), chosen)
    if axes != {("y", "x")}:
        shown = " and of ".join(sorted(str(tuple(str(axis) for axis in each)) for each in axes))
        raise SettingError(
            f"explanations over {shown}: figures show pictures (y, x), volumes (z, y, x) or "
            "channels, one kind at a time; draw each kind by itself, or read the arrays"
        )
    return _pictures(several, chosen)


def _of_scan(several: Comparison, chosen: Shown) -> str:
    """Return what a figure of a scan shows, and the group that all are compared with."""
    title = str(several[0].provenance["input"])
    if len(several) == 1 and len(several[0].labels) == 1:
        what = "Evidence" if chosen.signed else chosen.name.capitalize()
        title = f"{what} for “{several[0].labels[0]}” in {title}"
    groups = {str(each.provenance.get("reference", "")) for each in several}
    (group,) = groups if len(groups) == 1 else ("",)
    return f"{title} · compared with {group}" if group else title


def _titled(several: Comparison) -> Iterator[tuple[str, Explanation]]:
    """Return each with its title, which is empty if there is only one."""
    return zip(several.titles if len(several) > 1 else [""], several, strict=True)


def _pictures(several: Comparison, chosen: Shown) -> Figure:
    rows = [(title, each, row) for title, each in _titled(several) for row in _rows(each)]
    others = [
        name for name in several[0].baselines if all(name in each.baselines for each in several)
    ]
    ends = {
        unit: colours.limit(
            np.concatenate([chosen.of(e).values.reshape(-1) for e in several if e.unit == unit])
        )
        for unit in dict.fromkeys(each.unit for each in several)
    }
    columns = 3 + len(others)
    drawing = Drawing(figsize=(2.9 * columns + 1.2, 2.85 * len(rows) + 0.3), layout="constrained")
    panels = drawing.subplots(len(rows), columns, squeeze=False)
    for number, (title, each, row) in enumerate(rows):
        images = _panels(each, row, ends[each.unit], others, chosen)
        for panel, (name, image) in zip(panels[number], images.items(), strict=True):
            show_image(panel, image, name if number == 0 else "")
        _outline(panels[number, 0], each)
        caption = _caption(each, row) if not title else f"{title}\n{_caption(each, row)}"
        panels[number, 0].set_ylabel(caption, fontsize=10, parse_math=False)
    for unit, end in ends.items():
        own = panels[[number for number, (_, each, _) in enumerate(rows) if each.unit == unit]]
        of_unit = [each for each in several if each.unit == unit]
        colour_bar(drawing, own, end, unit, chosen, sides(of_unit))
    notes = [] if chosen.name == DEFAULT_MAP else [f"{chosen.name}: {chosen.caption}"]
    notes += ["maps of other methods: each on its own scale"] if len(others) > 1 else []
    if any((each.coverage.values == 0).any() for each in several):
        notes.append("sand: not analysed (no window or region lies there)")
    notes += dict.fromkeys(note for each in several for note in _notes(each, chosen))
    if notes:
        drawing.supxlabel("; ".join(notes), fontsize=9)
    return drawing


def _outline(panel: Axes, explanation: Explanation) -> None:
    """Draw over the input which regions were hidden, if any were."""
    regions = explanation.regions
    if regions is not None and regions.shape == explanation.picture.shape[1:]:
        outlines.draw(panel, regions.values)


def _notes(explanation: Explanation, chosen: Shown) -> list[str]:
    """Return how precise a map is, and that its mirror image was left out."""
    # The relative error is that of the relevance.
    precision = explanation.precision_text if chosen.signed else ""
    return [note for note in (precision, mirror_note(explanation, chosen)) if note]


def _rows(explanation: Explanation) -> range:
    return range(len(explanation.labels))


def _panels(
    explanation: Explanation, row: int, end: float, others: Sequence[str], chosen: Shown
) -> dict[str, NDArray[np.uint8]]:
    """Return the panels of a target by their titles."""
    picture = explanation.picture.values
    drawn = stretched(chosen.of(explanation).values[row], picture.shape[1:])
    images = {"input": rgb(picture)}
    for name in others:
        baseline = explanation.baselines[name]
        values = baseline.values[row]
        paint = colours.signed if baseline.attrs["signed"] else colours.unsigned
        images[str(baseline.attrs["long_name"])] = paint(values, colours.limit(values))
    images[chosen.name] = colours.painted(drawn, end, chosen.scale)
    images[f"{chosen.name} over input"] = overlay(picture, drawn, end, chosen.scale)
    return images


def _caption(explanation: Explanation, row: int) -> str:
    """Return the name of a target and the model's value for it."""
    symbol = "p" if explanation.of_probabilities else "value"
    return f"{explanation.labels[row]}\n{symbol} = {explanation.values[row]}"
