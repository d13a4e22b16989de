"""The contenders: every method whose maps are held against each other.

A new one is a line in `CONTENDERS`: a function of model, picture (channel, y, x), target and seed
that returns a map (y, x), the higher the more a pixel speaks for the target or matters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from preddiff.models import Model
from preddiff.studies.evaluation import attributions, controls, lrp, rise
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.studies.evaluation.own_maps import WindowsAlone, WindowsInSets
from preddiff.types import Pixels

Method = Callable[[Model, Pixels, int, int], PictureMap]
"""Returns the map of a model's target on a picture, with a seed."""


@dataclass(frozen=True)
class Contender:
    """One method.

    Attributes
    ----------
    name : as callers write it, and in files of scores.
    label : as people read it.
    make : makes the map.
    hides_with : the imputer that it hides pixels with, which then is no fair judge; empty for none.
    is_random : whether the map depends on the seed.
    is_control : whether it knows nothing of the model.
    """

    name: str
    label: str
    make: Method
    hides_with: str = ""
    is_random: bool = False
    is_control: bool = False


def _own(window: int, sampler: str, hides_with: str = "") -> list[Contender]:
    """Return both maps of this package with windows of one size."""
    windows = WindowsAlone(window, sampler)
    kinds = (("relevance", windows.relevance), ("importance", windows.importance))
    end, said = ("", sampler) if not hides_with else (f"-{hides_with}", hides_with)
    return [
        Contender(
            f"{name}-{window}{end}",
            f"{name}, k = {window}, {said}",
            method,
            hides_with=hides_with,
            is_random=not hides_with,
        )
        for name, method in kinds
    ]


def _of_sets(window: int, sampler: str, hides_with: str) -> Contender:
    """Return the map of this package from sets of windows of one size."""
    return Contender(
        f"sets-{window}-{hides_with}",
        f"relevance, sets of windows, k = {window}, {hides_with}",
        WindowsInSets(window, sampler).relevance,
        hides_with=hides_with,
        is_random=True,
    )


CONTENDERS = {
    each.name: each
    for each in (
        *_own(10, "conditional"),
        *_own(20, "conditional"),
        *_own(10, "constant:mean", "grey"),
        *_own(20, "constant:mean", "grey"),
        *_own(40, "constant:mean", "grey"),
        *(
            _of_sets(window, sampler, hides_with)
            for window in (16, 20)
            for sampler, hides_with in (("blurred", "blurred"), ("constant:mean", "grey"))
        ),
        Contender("grad_cam", "Grad-CAM", attributions.grad_cam),
        Contender("guided_grad_cam", "guided Grad-CAM", attributions.guided_grad_cam),
        Contender("smooth_grad", "SmoothGrad", attributions.smooth_grad, is_random=True),
        Contender(
            "integrated_gradients", "integrated gradients", attributions.integrated_gradients
        ),
        Contender("gradient_shap", "GradientShap", attributions.gradient_shap, is_random=True),
        Contender("lrp", "LRP", lrp.lrp),
        Contender("occlusion", "Occlusion", attributions.occlusion, "grey"),
        Contender("kernel_shap", "KernelSHAP", attributions.kernel_shap, "grey", is_random=True),
        Contender("lime", "LIME", attributions.lime, "grey", is_random=True),
        Contender("rise-256", "RISE, 256 masks", partial(rise.rise, masks=256), "grey", True),
        Contender("rise-1000", "RISE, 1,000 masks", partial(rise.rise, masks=1000), "grey", True),
        Contender("blurred", "blurred edges", controls.blurred, is_control=True),
        Contender("centre", "bell in the centre", controls.centre, is_control=True),
        Contender("sobel", "edges (Sobel)", controls.sobel, is_control=True),
        Contender("random", "random", controls.random, is_random=True, is_control=True),
    )
}
"""Contenders by name, in the order in which they are asked."""
