"""Figures 1 to 8 and 13: pictures of ImageNet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from preddiff.explanation import Explanation
from preddiff.frontdoor import explain
from preddiff.paper.material import NETWORKS, Material
from preddiff.render import colours
from preddiff.render.overlay import overlay, rgb
from preddiff.render.panels import Panel, Row, panels

LOGITS = "loss3/classifier"
LAYERS = ("conv1/7x7_s2", "inception_3a/output", "inception_5b/output")
_TOLERANCE = 0.2  # relative error of a map, which the eye hardly sees
_MAPS = 3  # feature maps that are shown of a layer


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure, and in words what it shows and how it differs from the paper's."""

    figure: Figure
    caption: str


def fig1(material: Material) -> Drawn:
    """Figure 1: why GoogLeNet says "cockatoo"."""
    e = _explained(material, "GoogLeNet", "sulphur-crested_cockatoo")
    end = colours.limit(e.relevance.values)
    shown = [Panel(rgb(e.picture.values), "input"), *_maps(e, 0, end, "evidence")]
    return Drawn(
        panels([Row(shown, _caption(e, 0), end, e.unit)]),
        "Evidence for (red) and against (blue) the cockatoo by GoogLeNet, k = 10, l = 14.",
    )


def fig3(material: Material) -> Drawn:
    """Figure 3: marginal against conditional sampling."""
    rows: list[Row] = []
    for name in ("ostrich", "sax"):
        pool = material.folder / "images" / "imagenet"
        both = [
            _explained(material, "GoogLeNet", name, sampler=sampler)
            for sampler in (f"marginal:{pool}", "conditional")
        ]
        end = _end(both)
        shown = [Panel(rgb(both[0].picture.values), "input")]
        for title, e in zip(("marginal", "conditional"), both, strict=True):
            shown += _maps(e, 0, end, title)
        rows.append(Row(shown, _caption(both[0], 0), end, both[0].unit))
    return Drawn(
        panels(rows),
        "Marginal sampling (from the other pictures of the folder) against conditional sampling, "
        "GoogLeNet, k = 10, l = 14; one scale a row.",
    )


def fig4(material: Material) -> Drawn:
    """Figure 4: window sizes."""
    sizes = (1, 2, 5, 10, 15, 20)
    several = [
        _explained(material, "SqueezeNet", "African_elephant", window=k, **_for_size(k, material))
        for k in sizes
    ]
    shown = [Panel(rgb(several[0].picture.values), "input")]
    for k, e in zip(sizes, several, strict=True):
        end = colours.limit(e.relevance.values)
        image = overlay(e.picture.values, e.relevance.values[0], end)
        shown.append(Panel(image, f"k = {k} (± {end:.2g} bits)"))
    return Drawn(
        panels([Row(shown[:4], _caption(several[0], 0)), Row([None, *shown[4:]])]),
        "Window sizes, conditional sampling with l = k + 4, by SqueezeNet (the paper: AlexNet); "
        "each panel has its own scale.",
    )


def fig5(material: Material) -> Drawn:
    """Figure 5: feature maps of three layers."""
    rows: list[Row] = []
    for layer in LAYERS:
        e = _explained(
            material, "GoogLeNet", "Egyptian_cat", node=layer, targets="all", **_few(material)
        )
        chosen = _strongest(e)
        end = colours.limit(e.relevance.values[chosen])
        shown = [Panel(rgb(e.picture.values), "input" if not rows else "")]
        shown += [_map(e, row, end, f"map {int(e.data['target'][row])}") for row in chosen]
        rows.append(Row(shown, layer, end, e.unit))
    return Drawn(
        panels(rows),
        "Relevance of the input for whole feature maps of GoogLeNet, the mean over a map's units; "
        f"of each layer the {_MAPS} maps with the largest root mean square. Red: activates.",
    )


def fig6(material: Material) -> Drawn:
    """Figure 6: the same feature maps on several pictures."""
    names = ("Egyptian_cat", "white_wolf", "Border_collie")
    first = _explained(
        material, "GoogLeNet", names[0], node=LAYERS[1], targets="all", **_few(material)
    )
    chosen = [int(first.data["target"][row]) for row in _strongest(first)]
    several = [first.data.isel(target=_strongest(first))]
    several += [
        _explained(
            material, "GoogLeNet", name, node=LAYERS[1], targets=chosen, **_few(material)
        ).data
        for name in names[1:]
    ]
    each = [Explanation(data) for data in several]
    rows = [Row([Panel(rgb(e.picture.values)) for e in each], "input")]
    for row, channel in enumerate(chosen):
        end = colours.limit(np.concatenate([e.relevance.values[row].reshape(-1) for e in each]))
        shown = [_map(e, row, end, "") for e in each]
        rows.append(Row(shown, f"map {channel}", end, first.unit))
    return Drawn(
        panels(rows),
        f"Three feature maps of {LAYERS[1]} on three pictures, the mean over a map's units; those "
        "with the largest root mean square on the first.",
    )


def fig7(material: Material) -> Drawn:
    """Figure 7: the top three classes before and after the softmax."""
    rows: list[Row] = []
    for name in ("African_elephant", "Border_collie"):
        output = _explained(material, "GoogLeNet", name, targets="top3")
        classes = [int(c) for c in output.data["target"]]
        before = _explained(material, "GoogLeNet", name, node=LOGITS, targets=classes)
        for e, layer in ((before, "penultimate"), (output, "output")):
            end = colours.limit(e.relevance.values)
            shown = [Panel(rgb(e.picture.values), name.replace("_", " "))]
            shown += [
                _map(e, row, end, f"{e.labels[row]} ({e.values[row]})")
                for row in range(len(e.labels))
            ]
            rows.append(Row(shown, layer, end, e.unit))
    return Drawn(
        panels(rows),
        "The three classes that score highest, in the penultimate layer (before the softmax, "
        "activation difference) and in the output layer (weight of evidence), with the units' "
        "values; GoogLeNet (the paper: AlexNet).",
    )


def fig8(material: Material) -> Drawn:
    """Figure 8: three networks."""
    rows: list[Row] = []
    for name in ("balloon", "African_elephant"):
        target = material.true_class(material.picture(name))
        shown: list[Panel] = []
        for network in NETWORKS:
            e = _explained(material, network, name, targets=target)
            end = colours.limit(e.relevance.values)
            shown = shown or [Panel(rgb(e.picture.values), "input")]
            shown.append(_map(e, 0, end, f"{network}, p = {e.values[0]} (± {end:.2g} bits)"))
        rows.append(Row(shown, name.replace("_", " ")))
    return Drawn(
        panels(rows),
        f"{', '.join(NETWORKS)} on two pictures (the paper: AlexNet, GoogLeNet, VGG, of which two "
        "have no weights here); each panel has its own scale.",
    )


def fig13(material: Material) -> Drawn:
    """Figure 13: pictures chosen at random, beside their sensitivity maps."""
    drawn = np.random.default_rng(material.seed).choice(len(material.rows), 6, replace=False)
    rows: list[Row] = []
    for number in sorted(drawn):
        name = Path(material.rows[number]["file"]).stem
        network = material.network("GoogLeNet")
        picture = material.picture(name)
        target = material.true_class(picture)
        e = _explained(material, "GoogLeNet", name, targets=target)
        values = network.predict(e.picture.values[None])[0]
        rank = int((values > values[target]).sum()) + 1
        end = colours.limit(e.relevance.values)
        shown = [Panel(rgb(e.picture.values), f"{e.labels[0]} ({rank})")]
        if e.sensitivity is not None:
            gradient = e.sensitivity.values[0]
            image = colours.unsigned(gradient, colours.limit(gradient))
            shown.insert(0, Panel(image, "sensitivity"))
        rows.append(Row([*shown, _map(e, 0, end, "relevance")], "", end, e.unit))
    return Drawn(
        panels(rows),
        "Pictures drawn at random from the folder: sensitivity map, picture with its true class "
        "and that class's rank, relevance for the true class; GoogLeNet.",
    )


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


def _explained(material: Material, network: str, picture: str, **settings: Any) -> Explanation:
    """With the paper's settings, until the map's error is small."""
    if "stride" not in settings:
        settings |= {"tolerance": _TOLERANCE} if material.hurry == 1 else _few(material)
    return explain(
        material.network(network), material.picture(picture), seed=material.seed, **settings
    )


def _few(material: Material) -> dict[str, Any]:
    """Settings for many feature maps at once, some of which never come near a tolerance."""
    return {"stride": 4 * material.hurry, "samples": 4}


def _for_size(k: int, material: Material) -> dict[str, Any]:
    """Every window of one pixel: between them there is nothing to interpolate."""
    return {"stride": k * material.hurry, "samples": 2} if k <= 2 else {}


def _strongest(e: Explanation) -> list[int]:
    """Rows of the maps with the largest root mean square."""
    size = np.sqrt(np.nanmean(e.relevance.values**2, axis=(1, 2)))
    return [int(n) for n in np.argsort(-size, kind="stable")[:_MAPS]]


def _end(explanations: Sequence[Explanation]) -> float:
    return colours.limit(np.concatenate([e.relevance.values.reshape(-1) for e in explanations]))


def _map(e: Explanation, row: int, end: float, title: str) -> Panel:
    return Panel(overlay(e.picture.values, e.relevance.values[row], end), title)


def _maps(e: Explanation, row: int, end: float, title: str) -> list[Panel]:
    """Relevance alone, and over the greyed picture."""
    alone = Panel(colours.signed(e.relevance.values[row], end), title)
    return [alone, _map(e, row, end, f"{title}, over the input")]


def _caption(e: Explanation, row: int) -> str:
    return f"{e.labels[row]}\np = {e.values[row]}"
