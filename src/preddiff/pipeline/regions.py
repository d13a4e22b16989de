"""Regions of an input: from the setting to the parts that are hidden."""

import numpy as np

from preddiff.errors import InputError
from preddiff.media.labels import Boxes, OpenedRegions, on_input
from preddiff.method.regions import Regions, boxes
from preddiff.pipeline.subject import Subject


def regions_of(subject: Subject, opened: OpenedRegions, *, resampled: bool) -> Regions:
    """Return the regions of a subject's input; with a mask, their parts inside of it.

    Raises
    ------
    PreddiffError
        A subclass that says why there are none on this input.
    """
    inputs = subject.inputs
    found = on_input(opened, subject.source, inputs, subject.model.prepare, resampled=resampled)
    labels = boxes(inputs.shape[1:], found.counts) if isinstance(found, Boxes) else found
    if subject.mask is not None:
        if subject.mask.shape != labels.shape:
            raise InputError(
                f"a mask of shape {subject.mask.shape}: expected that of the input as the model "
                f"sees it, {labels.shape}"
            )
        labels = np.where(subject.mask, labels, 0)
    return Regions.of(labels)
