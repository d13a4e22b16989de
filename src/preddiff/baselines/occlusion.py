"""Occlusion by grey patches (Zeiler & Fergus 2014)."""

from preddiff.baselines.base import Baseline, BaselineTask
from preddiff.samplers import Constant
from preddiff.types import Relevance

_GREY = 0.5  # of the patch, where a model does not say the mean of its pictures


def occlusion(task: BaselineTask) -> Relevance:
    """Return the relevance under grey patches of the window's size, every half window.

    Everything else is as in the analysis, the measure too, so that only what hides a window
    differs: one colour in place of draws.
    """
    mean = task.model.mean
    grey = Constant(_GREY if mean is None else mean)
    return task.relevance(grey, max(task.stride, task.window // 2))


OCCLUSION = Baseline("occlusion", "occlusion", signed=True, compute=occlusion)
