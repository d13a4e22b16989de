"""A detection as a number: how well a given box is found (D-RISE; Petsiuk et al., CVPR 2021)."""

from collections.abc import Sequence

from preddiff.errors import TargetError
from preddiff.targets.base import OfOutput, Returned, Target

_CORNERS = 4


def detection(box: Sequence[float], label: int) -> Target:
    """Return overlap × score of the detection that meets a box best; 0 where there is none.

    Of detectors that return a mapping with `boxes`, `labels` and `scores` for each picture, as
    torchvision's do. The overlap is the intersection over the union.

    Parameters
    ----------
    box : (x1, y1, x2, y2) in pixels of what the network sees.
    label : the detector's number of the class.
    """
    corners = tuple(float(each) for each in box)
    if len(corners) != _CORNERS or corners[0] >= corners[2] or corners[1] >= corners[3]:
        raise TargetError(f"box {tuple(box)}: expected (x1, y1, x2, y2) with x1 < x2 and y1 < y2")

    def function(output: Returned) -> Returned:
        import torch

        return torch.stack([_best(each, corners, label) for each in output])

    return OfOutput(function, f"class {label} in the box", "overlap × score")


def _best(found: Returned, box: tuple[float, ...], label: int) -> Returned:
    """Return overlap × score of the best detection of a class in one picture."""
    boxes, scores = found["boxes"], found["scores"]
    own = found["labels"] == label
    if not bool(own.any()):
        return scores.sum() * 0  # which has a gradient, if scores have
    x1, y1, x2, y2 = boxes[own].unbind(1)
    wide = (x2.clamp(max=box[2]) - x1.clamp(min=box[0])).clamp(min=0)
    high = (y2.clamp(max=box[3]) - y1.clamp(min=box[1])).clamp(min=0)
    both = wide * high
    union = (x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1]) - both
    return (both / union * scores[own]).max()
