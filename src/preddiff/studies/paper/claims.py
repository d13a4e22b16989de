"""The paper's claims about pictures (section 4.1), measured, with standard errors over pictures.

The paper states them in words, from looking at maps. Here each is a number per picture. What is
compared is compared on the same picture, and it is the differences that are averaged: pictures
differ far more from each other than two maps of one picture do, so the standard error of a mean
difference is much smaller than the difference of two means would have.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Unpack

import numpy as np

from preddiff.results.explanation import Explanation
from preddiff.studies.paper.map_statistics import (
    PictureMap,
    agreement,
    half_share,
    roughness,
    share_inside,
)
from preddiff.studies.paper.object_boxes import OBJECT_BOXES, BoundingBox
from preddiff.studies.paper.picture_figures import GOOGLENET_LAYERS, GOOGLENET_LOGITS
from preddiff.studies.paper.workspace import ExplainOptions, Workspace
from preddiff.types import Floats

PerPicture = Sequence[float] | Annotated[Floats, "picture"]
"""One number for each picture."""

PICTURES_OF_SIMILAR_CLASSES = (
    "African_elephant", "Indian_elephant", "Chihuahua", "Afghan_hound", "basset", "beagle",
    "bloodhound", "borzoi", "Yorkshire_terrier", "Boston_bull", "golden_retriever",
    "Labrador_retriever",
)  # fmt: skip
"""Both elephants and the first ten dogs whose top three classes are all elephants or all dogs."""

WINDOW_LENGTHS = (2, 5, 10, 20)
_STRIDE = 2  # pixels between windows, and so between the neighbours that roughness compares
_REGION_SIDE = 32  # pixels of the region whose roughness is measured; fewer with --hurry
_STANDARD_ERRORS = 2.0  # by which a difference has to be on one side of 0 to count


def check_claims(workspace: Workspace) -> Iterator[str]:
    """Yield each claim as a paragraph of Markdown that ends with whether it holds.

    Numbers are means over pictures with their standard errors. A claim holds if the difference has
    the sign that the paper says, by more than two standard errors.
    """
    yield _concentration(workspace)
    yield _similar_classes(workspace)
    yield _smoothness(workspace)
    yield _sparsity(workspace)


def _concentration(workspace: Workspace) -> str:
    shares, energies = [], []
    for name, box in OBJECT_BOXES.items():
        samplers = ("conditional", workspace.marginal_of_others("GoogLeNet", name))
        both = [_explain(workspace, name, sampler=each, samples=4) for each in samplers]
        shares.append([share_inside(np.abs(e.relevance.values[0]), box) for e in both])
        energies.append([share_inside(_energy(e), box) for e in both])
    area = [
        (right - left) * (bottom - top) / 224**2
        for left, top, right, bottom in OBJECT_BOXES.values()
    ]
    conditional, marginal = np.transpose(shares)
    conditional_energy, marginal_energy = np.transpose(energies)
    return (
        "**Conditional sampling concentrates relevance around the object more than marginal "
        f"sampling does.** Share of |relevance| inside a box around the object, "
        f"{len(OBJECT_BOXES)} pictures: conditional {_formatted(conditional)}, marginal "
        f"{_formatted(marginal)}, difference {_formatted(conditional - marginal)}. The boxes cover "
        f"{_formatted(area)} of the pictures. The same share of relevance² minus its squared "
        f"standard error, to which noise adds nothing: conditional "
        f"{_formatted(conditional_energy)}, marginal {_formatted(marginal_energy)}, difference "
        f"{_formatted(conditional_energy - marginal_energy)}. "
        f"{_verdict(conditional - marginal, conditional_energy - marginal_energy)}"
    )


def _energy(e: Explanation) -> PictureMap:
    """Relevance² without what noise adds to it.

    The expected square of an estimate is the true square plus the estimate's variance. |relevance|
    has the same bias, which the two samplers share unequally, but no such simple correction.
    """
    return np.asarray(e.relevance.values[0] ** 2 - e.standard_error.values[0] ** 2)


def _similar_classes(workspace: Workspace) -> str:
    pairs = []
    for name in PICTURES_OF_SIMILAR_CLASSES:
        output = _explain_twice(workspace, name, targets="top3")
        classes = [int(c) for c in output[0].data["target"]]
        logits = _explain_twice(workspace, name, targets=classes, node=GOOGLENET_LOGITS)
        pairs.append([agreement(*(e.relevance.values for e in runs)) for runs in (logits, output)])
    known = [pair for pair in pairs if np.isfinite(pair).all()]
    before, after = np.transpose(known)
    difference = before - after
    return (
        "**Maps of similar classes resemble each other before the softmax, not after it.** Mean "
        "correlation between the maps of the three classes that score highest, "
        f"{len(known)} pictures of elephants and dogs: penultimate layer {_formatted(before)}, "
        f"output layer {_formatted(after)}, difference {_formatted(difference)}. Noise lowers "
        "correlations, and not equally before and after the softmax; so each is taken between two "
        "independent runs and divided by the maps' correlations with themselves. "
        f"{_verdict(difference)}"
    )


def _smoothness(workspace: Workspace) -> str:
    rough = np.array(
        [
            [_roughness(workspace, name, box, k) for k in WINDOW_LENGTHS]
            for name, box in OBJECT_BOXES.items()
        ]
    )
    by_length = ", ".join(
        f"k = {k}: {_formatted(each)}" for k, each in zip(WINDOW_LENGTHS, rough.T, strict=True)
    )
    side = _region_side(workspace)
    falls = -np.diff(rough, axis=1).T
    return (
        "**Larger windows give smoother maps.** Root mean square of the difference between pixels "
        f"{_STRIDE} apart, divided by that of the map, in {side}×{side} pixels in the middle of "
        f"the object, SqueezeNet, {len(OBJECT_BOXES)} pictures; from products of two independent "
        f"runs, in which noise cancels: {by_length}. From each length to the next it falls by "
        f"{', '.join(_formatted(fall) for fall in falls)}. {_verdict(*falls)}"
    )


def _roughness(workspace: Workspace, name: str, box: BoundingBox, k: int) -> float:
    """Roughness of the map with windows of length k, in the middle of the object."""
    side = _region_side(workspace)
    left, top = ((box[axis] + box[axis + 2] - side) // 2 for axis in (0, 1))
    region = np.s_[top : top + side, left : left + side]
    mask = np.zeros(workspace.inputs("SqueezeNet", name).shape[1:], dtype=bool)
    mask[region] = True
    runs = _explain_twice(workspace, name, "SqueezeNet", window=k, stride=_STRIDE, mask=mask)
    # With windows two pixels apart, the pixels in between repeat what their neighbours have.
    return roughness(*(e.relevance.values[0][region][::_STRIDE, ::_STRIDE] for e in runs))


def _region_side(workspace: Workspace) -> int:
    """Pixels along each side of the region whose roughness is measured."""
    return max(8, _REGION_SIDE // workspace.hurry)


def _sparsity(workspace: Workspace) -> str:
    network = workspace.network("GoogLeNet")
    middle, last = (
        np.array(
            [
                half_share(network.predict(workspace.inputs("GoogLeNet", name)[None], layer)[0])
                for name in OBJECT_BOXES
            ]
        )
        for layer in GOOGLENET_LAYERS[1:]
    )
    return (
        "**The last convolutional layer is sparse across channels.** Share of the channels that "
        f"together hold half of a layer's activation, {len(OBJECT_BOXES)} pictures: "
        f"{GOOGLENET_LAYERS[1]} {_formatted(middle)}, {GOOGLENET_LAYERS[2]} {_formatted(last)}, "
        f"difference {_formatted(middle - last)}. {_verdict(middle - last)}"
    )


def _explain(
    workspace: Workspace, name: str, network: str = "GoogLeNet", **options: Unpack[ExplainOptions]
) -> Explanation:
    """An explanation by windows side by side.

    Overlapping windows would tell more of each picture, but what limits these numbers is how much
    pictures differ; so the time goes to more pictures.
    """
    defaults: ExplainOptions = {"stride": 10 * workspace.hurry, "targets": "top1"}
    return workspace.explain(network, name, **(defaults | options))


def _explain_twice(
    workspace: Workspace, name: str, network: str = "GoogLeNet", **options: Unpack[ExplainOptions]
) -> list[Explanation]:
    """Two runs with draws of their own, as `agreement` and `roughness` take them."""
    seeds = (workspace.seed, workspace.seed + 1)
    two_draws: ExplainOptions = {"samples": 2}
    return [
        _explain(workspace, name, network, **(two_draws | options | {"seed": seed}))
        for seed in seeds
    ]


def _formatted(values: PerPicture) -> str:
    """Mean over pictures ± its standard error."""
    return "{:.3f} ± {:.3f}".format(*_mean_and_error(values))


def _mean_and_error(values: PerPicture) -> tuple[float, float]:
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1) / np.sqrt(len(array)))


def _verdict(*differences: PerPicture) -> str:
    """A sentence on whether all of several mean differences are above 0, beyond their errors."""
    sizes = [mean / error for mean, error in map(_mean_and_error, differences)]
    if min(sizes) > _STANDARD_ERRORS:
        return "*It holds.*"
    if min(sizes) < -_STANDARD_ERRORS:
        return "*It does not hold: the opposite is seen.*"
    return "*It is not shown: the difference is within two standard errors.*"
