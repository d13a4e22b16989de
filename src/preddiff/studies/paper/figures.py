"""Figures 1 to 8 and 13: pictures of ImageNet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from preddiff.render import colours
from preddiff.render.colours import Colours
from preddiff.render.overlay import overlay, rgb
from preddiff.render.panels import Panel, PanelRow, panels
from preddiff.results.explanation import Explanation
from preddiff.studies.paper.material import NETWORKS, Material

LOGITS = "loss3/classifier"
LAYERS = ("conv1/7x7_s2", "inception_3a/output", "inception_5b/output")
_TOLERANCE = 0.2  # relative error of a map, which the eye hardly sees
_TOLERANCE_OF_SEVERAL = 0.3  # of classes with small probabilities, whose evidence is noisier
_LARGEST_TOLERANCE = 0.8  # however great the hurry
_BEYOND = 0.005  # of the pixels, where a map's scale ends
_MAPS = 4  # feature maps that are shown of a layer
_OWN = f"each panel has its own scale, whose end is said; {_BEYOND:.1%} of its pixels lie beyond."
_RANDOM = 6  # pictures


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure, and in words what it shows and how it differs from the paper's."""

    figure: Figure
    caption: str


def fig1(material: Material) -> Drawn:
    """Figure 1: why GoogLeNet says "cockatoo"."""
    e = _explained(material, "GoogLeNet", "sulphur-crested_cockatoo")
    end = colours.limit(e.relevance.values)
    shown = [Panel(rgb(e.picture.values), "input"), *_maps(e, end, "relevance")]
    return Drawn(
        panels([PanelRow(shown, _caption(e), end, e.unit)]),
        "Evidence for (red) and against (blue) the cockatoo by GoogLeNet, k = 10, l = 14. Another "
        "picture than the paper's.",
    )


def fig3(material: Material) -> Drawn:
    """Figure 3: marginal against conditional sampling."""
    rows: list[PanelRow] = []
    for name in ("ostrich", "sax"):
        both = {
            "marginal": _explained(
                material, "GoogLeNet", name, sampler=material.others("GoogLeNet", name)
            ),
            "conditional": _explained(material, "GoogLeNet", name),
        }
        e = both["conditional"]
        end = _end(list(both.values()))
        shown = [Panel(rgb(e.picture.values), "input")]
        for title, each in both.items():
            shown += _maps(each, end, title)
        rows.append(PanelRow(shown, _caption(e), end, e.unit))
    return Drawn(
        panels(rows),
        "Marginal sampling (from the other pictures of the folder, at the same place) against "
        "conditional sampling, GoogLeNet, k = 10, l = 14; one scale a row. Other pictures of the "
        "paper's classes.",
    )


def fig4(material: Material) -> Drawn:
    """Figure 4: window sizes."""
    name = "African_elephant"
    several = {
        k: _explained(material, "SqueezeNet", name, window=k, **_for_size(k, material))
        for k in (1, 2, 5, 10, 15, 20)
    }
    shown = [_alone(e, f"k = {k}") for k, e in several.items()]
    e = several[10]
    return Drawn(
        panels([PanelRow([Panel(rgb(e.picture.values), "input"), *shown[:3]], _caption(e)),
                PanelRow([None, *shown[3:]])]),
        "Window sizes, conditional sampling with l = k + 4, by SqueezeNet (the paper: AlexNet, "
        f"whose weights are not at hand); {_OWN}",
    )  # fmt: skip


def fig5(material: Material) -> Drawn:
    """Figure 5: feature maps of three layers."""
    rows: list[PanelRow] = []
    for layer in LAYERS:
        e = _strongest(material, layer)
        end = colours.limit(e.relevance.values)
        shown = [Panel(rgb(e.picture.values), "input") if not rows else None]
        shown += [
            Panel(_over(e, end, row), f"map {channel}")
            for row, channel in enumerate(e.data["target"].values)
        ]
        rows.append(PanelRow(shown, layer, end, e.unit))
    return Drawn(
        panels(rows),
        "Relevance of the input for whole feature maps of GoogLeNet, the mean over a map's units; "
        f"of each layer the {_MAPS} maps with the largest root mean square. Red activates a map, "
        "blue inhibits it. An Egyptian cat (the paper: a tabby, whose face is cut off in the "
        "picture that is at hand).",
    )


def fig6(material: Material) -> Drawn:
    """Figure 6: the same feature maps on several pictures."""
    layer = LAYERS[1]
    first = _strongest(material, layer)
    channels = tuple(int(channel) for channel in first.data["target"])
    each = [first] + [
        _explained(material, "GoogLeNet", name, node=layer, targets=channels, **_few(material))
        for name in ("white_wolf", "Border_collie")
    ]
    rows = [PanelRow([Panel(rgb(e.picture.values)) for e in each], "input")]
    for row, channel in enumerate(channels):
        end = colours.limit(np.concatenate([e.relevance.values[row].reshape(-1) for e in each]))
        shown = [Panel(_over(e, end, row)) for e in each]
        rows.append(PanelRow(shown, f"map {channel}", end, first.unit))
    return Drawn(
        panels(rows),
        f"The same {_MAPS} feature maps of {layer} on three pictures, the mean over a map's units; "
        "those with the largest root mean square on the first. One scale a row.",
    )


def fig7(material: Material) -> Drawn:
    """Figure 7: the top three classes before and after the softmax."""
    rows: list[PanelRow] = []
    for name in ("African_elephant", "Border_collie"):
        tolerance = {"tolerance": _TOLERANCE_OF_SEVERAL}
        output = _explained(material, "GoogLeNet", name, targets="top3", **tolerance)
        classes = tuple(int(c) for c in output.data["target"])
        before = _explained(material, "GoogLeNet", name, node=LOGITS, targets=classes, **tolerance)
        for e, layer in ((before, "penultimate layer"), (output, "output layer")):
            shown = [Panel(rgb(e.picture.values), "input") if e is before else None]
            shown += [
                _alone(e, f"{label} ({value})", row)
                for row, (label, value) in enumerate(zip(e.labels, e.values, strict=True))
            ]
            rows.append(PanelRow(shown, layer))
    return Drawn(
        panels(rows),
        "The three classes that score highest, in the penultimate layer (before the softmax, "
        "activation difference) and in the output layer (weight of evidence), with the units' "
        f"values; {_OWN} GoogLeNet (the paper: AlexNet, "
        "whose weights are not at hand).",
    )


def fig8(material: Material) -> Drawn:
    """Figure 8: three networks."""
    rows: list[PanelRow] = []
    for name in ("balloon", "African_elephant"):
        shown: list[Panel] = []
        for network in NETWORKS:
            e = _explained(material, network, name)
            shown = shown or [Panel(rgb(e.picture.values), "input")]
            shown.append(_alone(e, f"{network}, p = {e.values[0]}"))
        rows.append(PanelRow(shown, name.replace("_", " ")))
    return Drawn(
        panels(rows),
        f"{', '.join(NETWORKS)} on two pictures (the paper: AlexNet, GoogLeNet and VGG-16, of "
        f"which only GoogLeNet's weights are at hand); {_OWN}",
    )


def fig13(material: Material) -> Drawn:
    """Figure 13: pictures chosen at random, beside their sensitivity maps."""
    rng = np.random.default_rng(material.seed)
    drawn = sorted(rng.choice(len(material.rows), _RANDOM, replace=False))
    triples = [_beside_sensitivity(material, material.rows[number]["file"]) for number in drawn]
    return Drawn(
        panels(
            [
                PanelRow([*left, *right])
                for left, right in zip(triples[::2], triples[1::2], strict=True)
            ]
        ),
        f"{_RANDOM} pictures drawn at random from the folder (the paper: 34), with their true "
        "class and in brackets its rank: sensitivity map, picture, relevance for the true class; "
        f"GoogLeNet, k = 10, l = 14; {_OWN}",
    )


def _beside_sensitivity(material: Material, file: str) -> list[Panel]:
    """Sensitivity map, picture and relevance for its true class."""
    e = _explained(material, "GoogLeNet", Path(file).stem)
    values = material.network("GoogLeNet").predict(e.picture.values[None])[0]
    rank = int((values > values[int(e.data["target"][0])]).sum()) + 1
    gradient = e.baselines["sensitivity"].values[0]
    return [
        Panel(colours.unsigned(gradient, colours.limit(gradient)), "sensitivity"),
        Panel(rgb(e.picture.values), f"{e.labels[0]} ({rank})"),
        _alone(e, "relevance"),
    ]


FIGURES: dict[str, Callable[[Material], Drawn]] = {
    "fig1": fig1,
    "fig3": fig3,
    "fig4": fig4,
    "fig5": fig5,
    "fig6": fig6,
    "fig7": fig7,
    "fig8": fig8,
    "fig13": fig13,
}


def _explained(material: Material, network: str, name: str, **settings: Any) -> Explanation:
    """Of the true class, with the paper's settings, until the map's error is small."""
    settings = {"targets": material.true_class(material.picture(name)), "window": 10} | settings
    if "stride" not in settings:
        tolerance = settings.get("tolerance", _TOLERANCE) * material.hurry
        tolerance = min(_LARGEST_TOLERANCE, tolerance)
        settings |= {"stride": material.hurry, "tolerance": tolerance}
    return material.once(
        (network, name, *sorted(settings.items())),
        lambda: material.explain(network, name, **settings),
    )


def _strongest(material: Material, layer: str) -> Explanation:
    """The feature maps of a layer whose relevance has the largest root mean square, on a cat."""

    def make() -> Explanation:
        e = material.explain(
            "GoogLeNet", "Egyptian_cat", node=layer, targets="all", **_few(material)
        )
        size = np.sqrt(np.nanmean(e.relevance.values**2, axis=(1, 2)))
        return Explanation(e.data.isel(target=np.argsort(-size, kind="stable")[:_MAPS]))

    return material.once(layer, make)


def _few(material: Material) -> dict[str, Any]:
    """Settings for many feature maps at once, some of which never come near a tolerance."""
    return {"stride": 4 * material.hurry, "samples": 4}


def _for_size(k: int, material: Material) -> dict[str, Any]:
    """Every window of one pixel: between them there is nothing to interpolate."""
    return {"stride": k * material.hurry, "samples": 2} if k <= 2 else {}


def _end(explanations: Sequence[Explanation]) -> float:
    return colours.limit(np.concatenate([e.relevance.values.reshape(-1) for e in explanations]))


def _over(e: Explanation, end: float, row: int = 0) -> Colours:
    """A target's relevance over the greyed picture."""
    return overlay(e.picture.values, e.relevance.values[row], end)


def _alone(e: Explanation, title: str, row: int = 0) -> Panel:
    """A target's map with a scale of its own, which few pixels exceed: single ones hide no map."""
    end = colours.limit(np.nanquantile(np.abs(e.relevance.values[row]), 1 - _BEYOND))
    return Panel(_over(e, end, row), f"{title}, ± {end:.2g} {e.unit}")


def _maps(e: Explanation, end: float, title: str) -> list[Panel]:
    """Relevance alone, and over the greyed picture."""
    alone = Panel(colours.signed(e.relevance.values[0], end), title)
    return [alone, Panel(_over(e, end), f"{title}, over the input")]


def _caption(e: Explanation) -> str:
    return f"{e.labels[0]}\np = {e.values[0]}"
