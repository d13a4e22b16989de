"""Figures 1, 3 to 8 and 13: pictures of ImageNet.

Settings are the paper's (k = 10, l = 14, 10 draws, conditional sampling) except for two. A map is
stopped at a relative error that the eye hardly sees, where the paper visits every window with every
draw; the whole protocol would take most of an hour per picture. And where the paper's networks or
pictures are not available, others stand in for them: every caption says which.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from preddiff.render import colours
from preddiff.render.colours import Colours
from preddiff.render.overlay import overlay, rgb
from preddiff.render.panels import Panel, PanelRow, panels
from preddiff.results.explanation import Explanation
from preddiff.studies.paper.figure import PaperFigure
from preddiff.studies.paper.map_statistics import PictureMap
from preddiff.studies.paper.workspace import NETWORKS, ExplainOptions, Workspace

GOOGLENET_LOGITS = "loss3/classifier"
"""Node of the Caffe GoogLeNet that the softmax takes: the paper's penultimate layer."""

GOOGLENET_LAYERS = ("conv1/7x7_s2", "inception_3a/output", "inception_5b/output")
"""The first convolutional layer, one in the middle, and the last: as in the paper's figure 5."""

_TOLERANCE = 0.2  # relative error of a map, which the eye hardly sees
# Of several classes, the least probable have the noisiest evidence; at 0.2 they would take far
# longer, for maps that look the same.
_TOLERANCE_OF_SEVERAL = 0.3
_MAX_TOLERANCE = 0.8  # however much --hurry multiplies it: at 1 there would be nothing but noise
_CLIPPED_SHARE = 0.005  # of a map's pixels lie beyond the end of its own colour scale
_MAPS_PER_LAYER = 4
_RANDOM_PICTURES = 6
_OWN_SCALE = (
    f"each panel has its own colour scale, up to the value given; {_CLIPPED_SHARE:.1%} of its "
    "pixels lie beyond it."
)


def fig1(workspace: Workspace) -> PaperFigure:
    """Figure 1: why GoogLeNet says "cockatoo"."""
    e = _explain(workspace, "GoogLeNet", "sulphur-crested_cockatoo")
    end = colours.limit(e.relevance.values)
    shown = [Panel(rgb(e.picture.values), "input"), *_map_panels(e, end, "relevance")]
    return PaperFigure(
        panels([PanelRow(shown, _title(e), end, e.unit)]),
        "GoogLeNet's evidence for the class cockatoo (red) and against it (blue), k = 10, l = 14. "
        "Not the paper's picture, but another one of a cockatoo.",
    )


def fig3(workspace: Workspace) -> PaperFigure:
    """Figure 3: marginal against conditional sampling."""
    rows: list[PanelRow] = []
    for name in ("ostrich", "sax"):
        both = {
            "marginal": _explain(
                workspace,
                "GoogLeNet",
                name,
                sampler=workspace.marginal_of_others("GoogLeNet", name),
            ),
            "conditional": _explain(workspace, "GoogLeNet", name),
        }
        e = both["conditional"]
        # One scale for both, as the figure compares how strong and how spread out they are.
        end = _shared_limit([each.relevance.values for each in both.values()])
        shown = [Panel(rgb(e.picture.values), "input")]
        for title, each in both.items():
            shown += _map_panels(each, end, title)
        rows.append(PanelRow(shown, _title(e), end, e.unit))
    return PaperFigure(
        panels(rows),
        "Marginal sampling (pixels at the same position in the folder's other pictures) compared "
        "with conditional sampling; GoogLeNet, k = 10, l = 14, one colour scale per row. Other "
        "pictures of the paper's classes.",
    )


def fig4(workspace: Workspace) -> PaperFigure:
    """Figure 4: window sizes."""
    name = "African_elephant"
    by_length = {
        k: _explain(workspace, "SqueezeNet", name, **_window_options(workspace, k))
        for k in (1, 2, 5, 10, 15, 20)
    }
    shown = [_panel(e, f"k = {k}") for k, e in by_length.items()]
    e = by_length[10]
    return PaperFigure(
        panels([PanelRow([Panel(rgb(e.picture.values), "input"), *shown[:3]], _title(e)),
                PanelRow([None, *shown[3:]])]),
        "Window sizes; conditional sampling with l = k + 4. SqueezeNet instead of the paper's "
        f"AlexNet, whose weights are not available; {_OWN_SCALE}",
    )  # fmt: skip


def fig5(workspace: Workspace) -> PaperFigure:
    """Figure 5: feature maps of three layers."""
    rows: list[PanelRow] = []
    for layer in GOOGLENET_LAYERS:
        e = _strongest(workspace, layer)
        end = colours.limit(e.relevance.values)
        shown = [Panel(rgb(e.picture.values), "input") if not rows else None]
        shown += [
            Panel(_overlaid(e, end, row), f"map {channel}")
            for row, channel in enumerate(e.data["target"].values)
        ]
        rows.append(PanelRow(shown, layer, end, e.unit))
    return PaperFigure(
        panels(rows),
        "Relevance of the input for whole feature maps of GoogLeNet (the mean over a map's units): "
        f"in each layer, the {_MAPS_PER_LAYER} maps with the largest root mean square. Red pixels "
        "activate a map, blue pixels inhibit it. An Egyptian cat instead of the paper's tabby, "
        "whose face is cut off in the picture that is available.",
    )


def fig6(workspace: Workspace) -> PaperFigure:
    """Figure 6: the same feature maps on several pictures."""
    layer = GOOGLENET_LAYERS[1]
    first = _strongest(workspace, layer)
    channels = tuple(int(channel) for channel in first.data["target"])
    each = [first] + [
        _explain(workspace, "GoogLeNet", name, **_many_maps_options(workspace, layer, channels))
        for name in ("white_wolf", "Border_collie")
    ]
    rows = [PanelRow([Panel(rgb(e.picture.values)) for e in each], "input")]
    for row, channel in enumerate(channels):
        end = _shared_limit([e.relevance.values[row] for e in each])
        shown = [Panel(_overlaid(e, end, row)) for e in each]
        rows.append(PanelRow(shown, f"map {channel}", end, first.unit))
    return PaperFigure(
        panels(rows),
        f"The same {_MAPS_PER_LAYER} feature maps of {layer} on three pictures (the mean over a "
        "map's units): those with the largest root mean square on the first. One colour scale per "
        "row.",
    )


def fig7(workspace: Workspace) -> PaperFigure:
    """Figure 7: the top three classes before and after the softmax."""
    rows: list[PanelRow] = []
    for name in ("African_elephant", "Border_collie"):
        output = _explain(
            workspace, "GoogLeNet", name, targets="top3", tolerance=_TOLERANCE_OF_SEVERAL
        )
        classes = tuple(int(c) for c in output.data["target"])
        before = _explain(
            workspace,
            "GoogLeNet",
            name,
            node=GOOGLENET_LOGITS,
            targets=classes,
            tolerance=_TOLERANCE_OF_SEVERAL,
        )
        for e, layer in ((before, "penultimate layer"), (output, "output layer")):
            shown = [Panel(rgb(e.picture.values), "input") if e is before else None]
            shown += [
                _panel(e, f"{label} ({value})", row)
                for row, (label, value) in enumerate(zip(e.labels, e.values, strict=True))
            ]
            rows.append(PanelRow(shown, layer))
    return PaperFigure(
        panels(rows),
        "The three classes that score highest, in the penultimate layer (before the softmax: "
        "activation difference) and in the output layer (after it: weight of evidence), with the "
        f"units' values; {_OWN_SCALE} GoogLeNet instead of the paper's AlexNet, whose weights are "
        "not available.",
    )


def fig8(workspace: Workspace) -> PaperFigure:
    """Figure 8: three networks."""
    rows: list[PanelRow] = []
    for name in ("balloon", "African_elephant"):
        shown: list[Panel] = []
        for network in NETWORKS:
            e = _explain(workspace, network, name)
            shown = shown or [Panel(rgb(e.picture.values), "input")]
            shown.append(_panel(e, f"{network}, p = {e.values[0]}"))
        rows.append(PanelRow(shown, name.replace("_", " ")))
    return PaperFigure(
        panels(rows),
        f"{', '.join(NETWORKS)} on two pictures. The paper has AlexNet, GoogLeNet and VGG-16, of "
        f"which only GoogLeNet's weights are available; {_OWN_SCALE}",
    )


def fig13(workspace: Workspace) -> PaperFigure:
    """Figure 13: relevance of pictures chosen at random, next to their sensitivity maps."""
    rng = np.random.default_rng(workspace.seed)
    chosen = sorted(rng.choice(len(workspace.rows), _RANDOM_PICTURES, replace=False))
    triples = [
        _sensitivity_and_relevance(workspace, workspace.rows[number]["file"]) for number in chosen
    ]
    return PaperFigure(
        panels(
            [
                PanelRow([*left, *right])
                for left, right in zip(triples[::2], triples[1::2], strict=True)
            ]
        ),
        f"{_RANDOM_PICTURES} pictures chosen at random from the folder (34 in the paper): "
        "sensitivity map, picture with its true class and that class's rank in brackets, relevance "
        f"for the true class; GoogLeNet, k = 10, l = 14; {_OWN_SCALE}",
    )


def _sensitivity_and_relevance(workspace: Workspace, file: str) -> list[Panel]:
    """One picture's sensitivity map, the picture itself, and relevance for its true class."""
    e = _explain(workspace, "GoogLeNet", Path(file).stem)
    values = workspace.network("GoogLeNet").predict(e.picture.values[None])[0]
    rank = int((values > values[int(e.data["target"][0])]).sum()) + 1
    gradient = e.baselines["sensitivity"].values[0]
    return [
        Panel(colours.unsigned(gradient, colours.limit(gradient)), "sensitivity"),
        Panel(rgb(e.picture.values), f"{e.labels[0]} ({rank})"),
        _panel(e, "relevance"),
    ]


PICTURE_FIGURES: dict[str, Callable[[Workspace], PaperFigure]] = {
    "fig1": fig1,
    "fig3": fig3,
    "fig4": fig4,
    "fig5": fig5,
    "fig6": fig6,
    "fig7": fig7,
    "fig8": fig8,
    "fig13": fig13,
}


def _explain(
    workspace: Workspace, network: str, name: str, **options: Unpack[ExplainOptions]
) -> Explanation:
    """The true class explained with the paper's settings, until the map's error is small.

    Figures that ask for the same explanation share it.
    """
    true_class = workspace.true_class(workspace.picture(name))
    paper: ExplainOptions = {"targets": true_class, "window": 10}
    complete = paper | options
    # Options that set a stride want exactly those windows. A tolerance would leave some of them
    # out, and it is of no use where some of many targets never come near it.
    if "stride" not in complete:
        tolerance = complete.get("tolerance", _TOLERANCE) * workspace.hurry
        complete["stride"] = workspace.hurry
        complete["tolerance"] = min(_MAX_TOLERANCE, tolerance)
    return workspace.once(
        (network, name, *sorted(complete.items(), key=lambda item: item[0])),
        lambda: workspace.explain(network, name, **complete),
    )


def _strongest(workspace: Workspace, layer: str) -> Explanation:
    """The feature maps of a layer that the picture of a cat changes most.

    The paper does not say how it chose its maps. The root mean square of the relevance singles out
    those that respond to something in this picture, whether it activates or inhibits them.
    """

    def make() -> Explanation:
        options = _many_maps_options(workspace, layer, "all")
        e = workspace.explain("GoogLeNet", "Egyptian_cat", **options)
        size = np.sqrt(np.nanmean(e.relevance.values**2, axis=(1, 2)))
        # Stable: maps of the same size keep their order, so that the choice repeats everywhere.
        strongest = np.argsort(-size, kind="stable")[:_MAPS_PER_LAYER]
        return Explanation(e.data.isel(target=strongest))

    return workspace.once(layer, make)


def _many_maps_options(
    workspace: Workspace, layer: str, channels: str | tuple[int, ...]
) -> ExplainOptions:
    """Options for hundreds of feature maps at once.

    Some of them hardly respond to the picture and would never come near a relative error, so the
    number of windows and draws is fixed instead.
    """
    return {"node": layer, "targets": channels, "stride": 4 * workspace.hurry, "samples": 4}


def _window_options(workspace: Workspace, k: int) -> ExplainOptions:
    """Options for windows of length k.

    A tolerance saves draws by interpolating between windows that were visited. Windows of one or
    two pixels share next to none with their neighbours, so there is nothing to interpolate: they
    are all visited, side by side, with two draws each.
    """
    if k > 2:
        return {"window": k}
    return {"window": k, "stride": k * workspace.hurry, "samples": 2}


def _shared_limit(maps: Sequence[PictureMap]) -> float:
    """The end of a colour scale for several maps."""
    return colours.limit(np.concatenate([each.reshape(-1) for each in maps]))


def _overlaid(e: Explanation, end: float, row: int = 0) -> Colours:
    """A target's relevance over the greyed picture."""
    return overlay(e.picture.values, e.relevance.values[row], end)


def _panel(e: Explanation, title: str, row: int = 0) -> Panel:
    """A target's map over the picture, on a scale of its own.

    The scale ends at a high quantile rather than at the largest value: single windows with extreme
    evidence would otherwise leave the rest of the map white.
    """
    end = colours.limit(np.nanquantile(np.abs(e.relevance.values[row]), 1 - _CLIPPED_SHARE))
    return Panel(_overlaid(e, end, row), f"{title}, ± {end:.2g} {e.unit}")


def _map_panels(e: Explanation, end: float, title: str) -> list[Panel]:
    """Relevance by itself, and over the greyed picture."""
    alone = Panel(colours.signed(e.relevance.values[0], end), title)
    return [alone, Panel(_overlaid(e, end), f"{title}, over the input")]


def _title(e: Explanation) -> str:
    """The first target's label and probability."""
    return f"{e.labels[0]}\np = {e.values[0]}"
