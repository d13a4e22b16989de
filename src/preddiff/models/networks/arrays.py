"""Arrays and pictures that a network gets as they are: are they what it sees?"""

import warnings

from PIL import Image

from preddiff.errors import InputError, InputWarning
from preddiff.types import Pixels

CHANNELS_OF_SCANS = "(scans: T1.nii.gz+FLAIR.nii.gz, or --channels)"
"""How scans are given as channels of one input."""

_RANGE_TOLERANCE = 1e-3  # by which resizing may leave [0, 1]
_LARGEST_NORMALISED = 5.0  # black is -2.1 and white 2.6 by ImageNet's means and deviations


def check(
    inputs: Pixels, shape: tuple[int, ...] | None, spec: str, *, takes_pictures: bool
) -> None:
    """Raise an InputError for an array of another shape or range; warn of one that is normalised.

    Parameters
    ----------
    inputs : (channel, *spatial).
    shape : that the network sees, or None if any will do.
    spec : the model's, for messages.
    takes_pictures : whether it normalises pictures itself.
    """
    if shape is not None and inputs.shape != shape:
        cure = cure_of_shape(inputs.shape, shape)
        raise InputError(f"an array of shape {inputs.shape}: {spec} sees {shape}; {cure}")
    low, high = float(inputs.min()), float(inputs.max())
    if not takes_pictures and len(inputs) == 3 == inputs.ndim and _is_normalised(low, high):
        warnings.warn(
            f"values from {low:.4g} to {high:.4g} look like those of a normalised picture, in "
            "which windows are then hidden and which is shown: better pass the picture itself "
            "and load_model(network, preprocess=weights.transforms()) (--preprocess FILE; "
            "docs/models.md)",
            InputWarning,
            stacklevel=3,
        )
    if takes_pictures and not (low >= -_RANGE_TOLERANCE and high <= 1 + _RANGE_TOLERANCE):
        raise InputError(
            f"values from {low:.4g} to {high:.4g}: {spec} sees pictures in [0, 1] and "
            f"normalises them itself; {_cure_of_range(low)}"
        )


def warn_of_unprepared(image: Image.Image, size: tuple[int, int] | None, spec: str) -> None:
    """Warn that a picture goes to a network of which nobody said what pictures it expects.

    Parameters
    ----------
    size : (y, x) that it is resized to, as the network takes no other; None of one that does.
    """
    done = f"as it is, {image.height}×{image.width} in [0, 1], neither resized nor normalised"
    if size is not None:
        done = f"resized to {size[0]}×{size[1]}, in [0, 1], not normalised"
    warnings.warn(
        f"{spec} gets this picture {done}: say what it was trained with, e.g. "
        "load_model(network, preprocess=weights.transforms()) (--preprocess FILE), or "
        "preprocess={} if that is right (docs/models.md)",
        InputWarning,
        stacklevel=3,
    )


def cure_of_shape(given: tuple[int, ...], seen: tuple[int, ...]) -> str:
    """Return what to do about an array of a shape that a model does not see.

    Parameters
    ----------
    given, seen : (channel, *spatial).
    """
    if given == (1, *seen):
        return "of a batch of one, pass batch[0]"
    if len(given) != len(seen):
        kind = "pictures" if len(seen) == 3 else "volumes"
        return f"it is a model of {kind}; name one of inputs like this (model=, --model)"
    if given[0] != seen[0]:
        return f"give {seen[0]} channel{'s' * (seen[0] > 1)} {CHANNELS_OF_SCANS}"
    if len(seen) == 4:
        return "resample the scan"
    return "prepare the picture with load_model(...).prepare(image)"


def _is_normalised(low: float, high: float) -> bool:
    """Return whether values look like those of a picture less a mean, by standard deviations."""
    return -_LARGEST_NORMALISED < low < -_RANGE_TOLERANCE and 1 < high < _LARGEST_NORMALISED


def _cure_of_range(low: float) -> str:
    """Return what to do with values beyond [0, 1], of which the least is `low`."""
    if low < -_RANGE_TOLERANCE:
        return "pass the picture itself, or undo what was done: array * std + mean"
    return "divide 8-bit values by 255"
