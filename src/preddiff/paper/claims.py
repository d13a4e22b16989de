"""What the paper says of pictures in words, as numbers with standard errors (section 4.1)."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.explanation import Explanation
from preddiff.frontdoor import explain
from preddiff.media import images
from preddiff.paper.figures import LAYERS, LOGITS
from preddiff.paper.material import Material

Floats = NDArray[np.float64]

BOXES = {
    "ostrich": (85, 46, 134, 170),
    "African_elephant": (0, 96, 224, 142),
    "sulphur-crested_cockatoo": (0, 20, 224, 222),
    "sax": (15, 0, 80, 222),
    "teapot": (85, 30, 224, 182),
    "goldfish": (0, 35, 218, 190),
    "bald_eagle": (20, 42, 172, 224),
    "Siamese_cat": (0, 52, 224, 212),
    "white_wolf": (85, 10, 224, 178),
    "Granny_Smith": (0, 15, 212, 222),
    "flamingo": (40, 65, 185, 190),
    "soccer_ball": (5, 90, 140, 218),
}
"""Where the object is (x, y from, x, y up to), drawn by eye on the 224×224 that GoogLeNet sees."""

SIZES = (2, 5, 10, 20)
_REGION = slice(92, 132)  # along both axes: there, maps of all window sizes are compared
_ROUGH_ON = 4  # pictures


def claims(material: Material) -> str:
    """All claims as one text in Markdown."""
    found = [_explained(material, name, targets="top3") for name in BOXES]
    parts = [
        _concentration(material, found),
        _agreement(material, found),
        _smoothness(material),
        _sparsity(material),
    ]
    return "\n\n".join(parts) + "\n"


def _concentration(material: Material, conditional: Sequence[Explanation]) -> str:
    pool = f"marginal:{material.folder / 'images' / 'imagenet'}"
    marginal = [_explained(material, name, targets="top1", sampler=pool) for name in BOXES]
    shares = np.array(
        [
            [
                share_inside(e.relevance.values[0], box)
                for e, box in zip(each, BOXES.values(), strict=True)
            ]
            for each in (conditional, marginal)
        ]
    )
    area = np.array([(x2 - x1) * (y2 - y1) / 224**2 for x1, y1, x2, y2 in BOXES.values()])
    return (
        "**Conditional sampling concentrates more around the object than marginal sampling.** "
        f"Share of |relevance| inside a box around the object, {len(BOXES)} pictures: conditional "
        f"{_told(shares[0])}, marginal {_told(shares[1])}, difference "
        f"{_told(shares[0] - shares[1])}; the boxes cover {_told(area)} of the pictures."
    )


def _agreement(material: Material, output: Sequence[Explanation]) -> str:
    before, after = [], []
    for name, e in zip(BOXES, output, strict=True):
        classes = [int(c) for c in e.data["target"]]
        logits = _explained(material, name, targets=classes, node=LOGITS)
        before.append(agreement(logits.relevance.values))
        after.append(agreement(e.relevance.values))
    difference = np.array(before) - np.array(after)
    return (
        "**Maps of similar classes resemble each other before the softmax, not behind it.** Mean "
        f"correlation between the maps of the three classes that score highest, {len(BOXES)} "
        f"pictures: penultimate layer {_told(before)}, output layer {_told(after)}, difference "
        f"{_told(difference)}."
    )


def _smoothness(material: Material) -> str:
    mask = np.zeros((224, 224), dtype=bool)
    mask[_REGION, _REGION] = True
    rows = []
    for k in SIZES:
        settings = {"window": k, "stride": min(k, 2 * material.hurry), "mask": mask}
        each = [
            _explained(material, name, targets="top1", **settings)
            for name in list(BOXES)[:_ROUGH_ON]
        ]
        rows.append([roughness(e.relevance.values[0][_REGION, _REGION]) for e in each])
    told = ", ".join(f"k = {k}: {_told(row)}" for k, row in zip(SIZES, rows, strict=True))
    return (
        "**Larger windows give smoother maps.** Root mean square of the difference between "
        f"neighbouring pixels over that of the map, {_ROUGH_ON} pictures: {told}."
    )


def _sparsity(material: Material) -> str:
    network = material.network("GoogLeNet")
    told = []
    for layer in LAYERS[1:]:
        values = []
        for name in BOXES:
            inputs = _seen(material, name)
            values.append(half_share(network.predict(inputs[None], layer)[0]))
        told.append(f"{layer} {_told(values)}")
    return (
        "**The last convolutional layer is sparse across channels.** Share of the channels that "
        f"together have half of a layer's activation, {len(BOXES)} pictures: {', '.join(told)}."
    )


def _seen(material: Material, name: str) -> NDArray[np.float32]:
    """A picture as GoogLeNet sees it, (channel, y, x)."""
    return material.network("GoogLeNet").prepare(images.read(material.picture(name)))


def share_inside(relevance: Floats, box: tuple[int, int, int, int]) -> float:
    """Share of |relevance| (y, x) inside a box (x, y from, x, y up to)."""
    size = np.nan_to_num(np.abs(relevance))
    left, top, right, bottom = box
    return float(size[top:bottom, left:right].sum() / size.sum())


def agreement(relevance: Floats) -> float:
    """Mean correlation between every two of several maps (target, y, x)."""
    flat = relevance.reshape(len(relevance), -1)
    flat = flat[:, np.isfinite(flat).all(axis=0)]
    matrix = np.atleast_2d(np.corrcoef(flat))
    return float(np.mean([matrix[a, b] for a, b in combinations(range(len(flat)), 2)]))


def roughness(relevance: Floats) -> float:
    """Root mean square of the difference between neighbours, over that of the map (y, x)."""
    steps = np.concatenate([np.diff(relevance, axis=axis).reshape(-1) for axis in (0, 1)])
    return float(np.sqrt(np.nanmean(steps**2) / np.nanmean(relevance**2)))


def half_share(values: Floats) -> float:
    """Share of the channels, largest first, that together have half of the sum."""
    ordered = np.sort(values)[::-1].cumsum()
    return float((np.searchsorted(ordered, ordered[-1] / 2) + 1) / len(values))


def _explained(material: Material, name: str, **settings: Any) -> Explanation:
    stride = settings.pop("stride", 8 * material.hurry)
    return explain(
        material.network("GoogLeNet"), material.picture(name), seed=material.seed, stride=stride,
        samples=4, **settings,
    )  # fmt: skip


def _told(values: Sequence[float] | Floats) -> str:
    """Mean and its standard error over pictures."""
    array = np.asarray(values, dtype=np.float64)
    return f"{array.mean():.3f} ± {array.std(ddof=1) / np.sqrt(len(array)):.3f}"
