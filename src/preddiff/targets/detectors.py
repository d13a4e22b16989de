"""A detection as a number: how well a given box is found (D-RISE; Petsiuk et al., CVPR 2021)."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from preddiff.errors import InputWarning, TargetError
from preddiff.models import Model
from preddiff.targets.base import OfOutput, Returned, Target
from preddiff.types import Pixels

_CORNERS = 4
_KEYS = {"boxes", "labels", "scores"}


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

        # A mapping for all pictures is another detector's; its items would be its keys.
        pictures = [output] if isinstance(output, Mapping) else output
        return torch.stack([_best(each, corners, label) for each in pictures])

    return Detection(function, f"class {label} in the box", "overlap × score")


@dataclass(frozen=True)
class Detection(OfOutput):
    """A function that is 0 where nothing is detected, of which it warns."""

    def of(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Return a model that gives overlap × score, and its number, 0."""
        made, numbers = super().of(model, inputs)
        if not made.predict(inputs[None]).any():
            warnings.warn(
                f"target {self.name!r}: no detection of the class meets the box, so there is none "
                "to explain, and the map shows only what hides one; check box and label",
                InputWarning,
                stacklevel=2,
            )
        return made, numbers


def _best(found: Returned, box: tuple[float, ...], label: int) -> Returned:
    """Return overlap × score of the best detection of a class in one picture."""
    if not isinstance(found, Mapping) or not set(found) >= _KEYS:
        keys = f" with {', '.join(map(str, found))}" if isinstance(found, Mapping) else ""
        raise TargetError(
            f"the network returns {type(found).__name__}{keys} for a picture: expected a "
            f"detector's mapping with {', '.join(sorted(_KEYS))}; of another one, such as DETR, "
            "give a function (targets=, docs/models.md)"
        )
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
