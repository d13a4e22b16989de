"""Share in boxes: how much of a map lies on the object."""

from pathlib import PurePath

from preddiff.studies.evaluation.maps import PictureMap, positive_share
from preddiff.studies.paper.object_boxes import OBJECT_BOXES, BoundingBox

_SHAPE = (224, 224)  # of the pictures that the boxes were drawn on


def box_of(name: str, shape: tuple[int, ...]) -> BoundingBox | None:
    """Return the box around the object of a picture of ImageNet, if it has one at this shape.

    Parameters
    ----------
    name : of the picture's file: the number of its class, and the object, as in n01518878_ostrich.
    """
    _, _, thing = PurePath(name).stem.partition("_")
    return OBJECT_BOXES.get(thing) if shape == _SHAPE else None


def share_in_box(values: PictureMap, box: BoundingBox) -> float:
    """Return the share of a map's positive part in a box; NaN where nothing is positive."""
    left, top, right, bottom = box
    return positive_share(values, (slice(top, bottom), slice(left, right)))
