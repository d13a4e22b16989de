"""What the paper says of pictures in words, as numbers with standard errors (section 4.1)."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.results.explanation import Explanation
from preddiff.studies.paper.boxes import BOXES, Box
from preddiff.studies.paper.figures import LAYERS, LOGITS
from preddiff.studies.paper.material import Material
from preddiff.studies.paper.traits import agreement, half_share, roughness, share_inside

Floats = NDArray[np.float64]

ALIKE = (
    "African_elephant", "Indian_elephant", "Chihuahua", "Afghan_hound", "basset", "beagle",
    "bloodhound", "borzoi", "Yorkshire_terrier", "Boston_bull", "golden_retriever",
    "Labrador_retriever",
)  # fmt: skip
"""Both elephants and the first ten dogs whose top three classes, too, are elephants or dogs."""

SIZES = (2, 5, 10, 20)
_STEP = 2  # pixels between windows, and between the neighbours that are compared
_SIDE = 32  # pixels of the region that is compared, if there is no hurry
_SURE = 2.0  # standard errors


def claims(material: Material) -> Iterator[str]:
    """Each claim as a paragraph of Markdown that ends by saying whether it holds.

    Numbers are means over pictures with their standard errors, and what is compared is compared on
    the same picture. A claim holds where the difference is as the paper says by more than two
    standard errors.
    """
    yield _concentration(material)
    yield _agreement(material)
    yield _smoothness(material)
    yield _sparsity(material)


def _concentration(material: Material) -> str:
    sizes, energies = [], []
    for name, box in BOXES.items():
        samplers = ("conditional", material.others("GoogLeNet", name))
        both = [_explained(material, name, sampler=each, samples=4) for each in samplers]
        sizes.append([share_inside(np.abs(e.relevance.values[0]), box) for e in both])
        energies.append([share_inside(_energy(e), box) for e in both])
    area = [(right - left) * (bottom - top) / 224**2 for left, top, right, bottom in BOXES.values()]
    (conditional, marginal), (strong, weak) = np.transpose(sizes), np.transpose(energies)
    return (
        "**Conditional sampling concentrates more around the object than marginal sampling.** "
        f"Share of |relevance| inside a box around the object, {len(BOXES)} pictures: conditional "
        f"{_told(conditional)}, marginal {_told(marginal)}, difference "
        f"{_told(conditional - marginal)}; the boxes cover {_told(area)} of the pictures. Of "
        "relevance² less its squared standard error, which is free of what the draws' noise adds: "
        f"conditional {_told(strong)}, marginal {_told(weak)}, difference "
        f"{_told(strong - weak)}. {_verdict(conditional - marginal, strong - weak)}"
    )


def _energy(e: Explanation) -> Floats:
    """Square of the relevance, without what noise adds to it: (y, x)."""
    return np.asarray(e.relevance.values[0] ** 2 - e.standard_error.values[0] ** 2)


def _agreement(material: Material) -> str:
    pairs = []
    for name in ALIKE:
        output = _twice(material, name, targets="top3")
        classes = [int(c) for c in output[0].data["target"]]
        logits = _twice(material, name, targets=classes, node=LOGITS)
        pairs.append([agreement(*(e.relevance.values for e in two)) for two in (logits, output)])
    known = [pair for pair in pairs if np.isfinite(pair).all()]
    before, after = np.transpose(known)
    difference = before - after
    return (
        "**Maps of similar classes resemble each other before the softmax, not behind it.** Mean "
        "correlation between the maps of the three classes that score highest, "
        f"{len(known)} pictures of elephants and dogs: penultimate layer {_told(before)}, output "
        f"layer {_told(after)}, difference {_told(difference)}. Correlations are between two runs "
        "with draws of their own, divided by each map's correlation with itself, as noise weakens "
        f"them, and not alike before and behind the softmax. {_verdict(difference)}"
    )


def _smoothness(material: Material) -> str:
    rough = np.array(
        [[_roughness(material, name, box, k) for k in SIZES] for name, box in BOXES.items()]
    )
    told = ", ".join(f"k = {k}: {_told(each)}" for k, each in zip(SIZES, rough.T, strict=True))
    side = _side(material)
    falls = -np.diff(rough, axis=1).T
    steps = ", ".join(_told(fall) for fall in falls)
    return (
        "**Larger windows give smoother maps.** Root mean square of the difference between pixels "
        f"{_STEP} apart over that of the map, in {side}×{side} pixels in the middle of the "
        f"object, SqueezeNet, {len(BOXES)} pictures, from products of two runs with draws of "
        f"their own, in which noise cancels: {told}. From one size to the next it falls by "
        f"{steps}. {_verdict(*falls)}"
    )


def _roughness(material: Material, name: str, box: Box, k: int) -> float:
    """Of the map in the middle of the object."""
    side = _side(material)
    left, top = ((box[axis] + box[axis + 2] - side) // 2 for axis in (0, 1))
    region = np.s_[top : top + side, left : left + side]
    mask = np.zeros(material.seen("SqueezeNet", name).shape[1:], dtype=bool)
    mask[region] = True
    settings = {"window": k, "stride": _STEP, "mask": mask}
    both = _twice(material, name, "SqueezeNet", **settings)
    return roughness(*(e.relevance.values[0][region][::_STEP, ::_STEP] for e in both))


def _side(material: Material) -> int:
    """Pixels of the region that is compared."""
    return max(8, _SIDE // material.hurry)


def _sparsity(material: Material) -> str:
    network = material.network("GoogLeNet")
    middle, last = (
        np.array(
            [
                half_share(network.predict(material.seen("GoogLeNet", name)[None], layer)[0])
                for name in BOXES
            ]
        )
        for layer in LAYERS[1:]
    )
    return (
        "**The last convolutional layer is sparse across channels.** Share of the channels that "
        f"together have half of a layer's activation, {len(BOXES)} pictures: {LAYERS[1]} "
        f"{_told(middle)}, {LAYERS[2]} {_told(last)}, difference {_told(middle - last)}. "
        f"{_verdict(middle - last)}"
    )


def _explained(
    material: Material, name: str, network: str = "GoogLeNet", **settings: Any
) -> Explanation:
    """By windows side by side, fewer in a hurry."""
    settings = {"stride": 10 * material.hurry, "targets": "top1"} | settings
    return material.explain(network, name, **settings)


def _twice(
    material: Material, name: str, network: str = "GoogLeNet", **settings: Any
) -> list[Explanation]:
    """By two runs with draws of their own."""
    return [
        _explained(material, name, network, samples=2, seed=material.seed + n, **settings)
        for n in (0, 1)
    ]


def _told(values: Sequence[float] | Floats) -> str:
    """Mean and its standard error over pictures."""
    return "{:.3f} ± {:.3f}".format(*_mean(values))


def _mean(values: Sequence[float] | Floats) -> tuple[float, float]:
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1) / np.sqrt(len(array)))


def _verdict(*differences: Sequence[float] | Floats) -> str:
    """Whether all differences, one a picture, are above 0 by more than their errors."""
    sizes = [mean / error for mean, error in map(_mean, differences)]
    if min(sizes) > _SURE:
        return "*It holds.*"
    if min(sizes) < -_SURE:
        return "*It does not hold: the opposite is seen.*"
    return "*It is not shown: the difference is within two standard errors.*"
