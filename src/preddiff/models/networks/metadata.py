"""Preprocessing and labels, as an ONNX file's metadata or a file of the user's describe them.

docs/models.md explains the keys.
"""

import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import SupportsFloat, cast, get_args

from preddiff.errors import InputWarning, ModelError
from preddiff.media.reading import failures_as, read_text
from preddiff.models.networks import transforms
from preddiff.models.networks.preprocessing import FILTERS, Preprocessing, picture_size
from preddiff.models.request import Output, PreprocessingSettings, Request

_MAX_LENGTH = 20_000  # pixels of what a network sees
_LABELS_BYTES = _SETTINGS_BYTES = 1 << 20

KEYS = (
    "input_size",
    "channels",
    "resize",
    "scale",
    "channel_order",
    "mean",
    "std",
    "layout",
    "labels_file",
    "output",
)


@dataclass(frozen=True)
class Described:
    """The preprocessing, output and labels that a caller says a network has.

    Attributes
    ----------
    preprocessing, labels : None where nothing is said of them.
    output : what it returns; "auto" finds out.
    """

    preprocessing: Preprocessing | None
    output: Output
    labels: list[str] | None


def described(request: Request, shape: tuple[int, ...] | None = None) -> Described:
    """Return what a request says of a network.

    Parameters
    ----------
    shape : (channel, *spatial) of its inputs, where it takes no other: outranks the request.

    Raises
    ------
    ModelError
        If it is not understood.
    """
    if request.preprocess is None:
        return Described(None, request.output, None)
    settings, folder = read(request.preprocess)
    return Described(
        preprocessing(settings, picture_size(shape)),
        output(settings, request.output),
        labels(settings, folder),
    )


def asks_for_channels_last(request: Request) -> bool:
    """Return whether a request says that the network wants (n, y, x, channel)."""
    return request.preprocess is not None and is_channels_last(read(request.preprocess)[0])


def read(source: PreprocessingSettings) -> tuple[dict[str, object], Path]:
    """Read settings from a mapping, a JSON file or a library's description of them.

    Returns
    -------
    The settings, and the folder their paths start from.

    Raises
    ------
    ModelError
        If the file cannot be read, a key is unknown, or a library's transform does what no setting
        can say.
    """
    folder = Path()
    given: object = source
    if isinstance(source, str | Path):
        folder = Path(source).parent
        given = _from_file(source)
    found = transforms.settings_of(given)
    if found is not None:
        transforms.check(given, preprocessing(found))
        return found, folder
    settings = cast(Mapping[str, object], given)
    if not set(KEYS).issuperset(settings):
        unknown = sorted(set(settings) - set(KEYS))
        raise ModelError(f"preprocessing {unknown} not understood; expected {', '.join(KEYS)}")
    return dict(settings), folder


def _from_file(path: str | Path) -> Mapping[str, object]:
    expected = "a JSON file with preprocessing"
    text = read_text(path, ModelError, expected, _SETTINGS_BYTES)
    with failures_as(lambda why: ModelError(f"{path}: not {expected} ({why})")):
        held = json.loads(text)
    if not isinstance(held, dict):
        raise ModelError(f"preprocessing {held} not understood; expected {', '.join(KEYS)}")
    return held


def preprocessing(
    metadata: Mapping[str, object], size: tuple[int, int] | None = None, channels: int | None = None
) -> Preprocessing:
    """Return the preprocessing that metadata describe.

    Parameters
    ----------
    metadata : any of `KEYS`; texts as ONNX has them, or numbers and lists.
    size, channels : what the network's input says; they outrank the metadata.

    Raises
    ------
    ModelError
        If a value is not understood.
    """
    size = size or _size(metadata)
    channels = channels or int(_numbers(metadata, "channels", 1, 3.0)[0])
    if channels not in {1, 3}:
        raise ModelError(
            f"{channels} channels: expected 1 or 3; where the network wants them last, say "
            'layout="NHWC"'
        )
    short_side, interpolation = _resize(str(metadata.get("resize", "")), size)
    return replace(
        normalisation(metadata, channels),
        size=size,
        short_side=short_side,
        interpolation=interpolation,
    )


def normalisation(metadata: Mapping[str, object], channels: int) -> Preprocessing:
    """Return how metadata say that values are normalised, of pictures and volumes.

    Parameters
    ----------
    metadata : any of `KEYS`; what they say of a size is left out.

    Raises
    ------
    ModelError
        If a value is not understood.
    """
    std = _numbers(metadata, "std", channels, 1.0)
    if 0 in std:
        raise ModelError(f"std={metadata['std']}: expected numbers other than 0")
    return Preprocessing(
        channels=channels,
        mean=_numbers(metadata, "mean", channels, 0.0) if "mean" in metadata else None,
        std=std,
        scale=_numbers(metadata, "scale", 1, 1.0)[0],
        bgr=_choice(metadata, "channel_order", ("RGB", "BGR")) == "BGR",
        channels_last=is_channels_last(metadata),
    )


def is_channels_last(metadata: Mapping[str, object]) -> bool:
    """Return whether the network wants (n, y, x, channel)."""
    return _choice(metadata, "layout", ("NCHW", "NHWC")) == "NHWC"


def output(metadata: Mapping[str, object], requested: Output) -> Output:
    """Return what the network returns: as a caller says, else as the metadata do.

    Raises
    ------
    ModelError
        If the metadata say neither auto, logits nor probabilities.
    """
    value = metadata.get("output", "auto")
    for known in get_args(Output):
        if value == known:
            return known if requested == "auto" else requested
    raise ModelError(f"output={value!r}: expected one of {', '.join(get_args(Output))}")


def labels(metadata: Mapping[str, object], folder: Path) -> list[str] | None:
    """Read class names from `labels_file`, which lies in the folder or below it.

    A file that says to be of ImageNet's 1,000 classes, and brings no list of them, gets their usual
    names.

    Raises
    ------
    ModelError
        If there is no such file, it is no text of at most 1 MiB, or it does not lie there.
    """
    name = metadata.get("labels_file")
    if not name:
        return None
    relative = Path(str(name))
    misplaced = ModelError(f"labels_file {name!r}: expected a path below the model's folder")
    # A model from the internet must not make us read, and show, any file of the machine: nothing
    # outside of its own folder, neither by .. nor by a link.
    if relative.is_absolute() or ".." in relative.parts:
        raise misplaced
    with failures_as(lambda _: misplaced):  # a name with a 0 in it, links in a circle
        path = (folder / relative).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise misplaced
        exists = path.exists()
    if exists:
        return read_text(path, ModelError, "a text with labels", _LABELS_BYTES).splitlines()
    if metadata.get("dataset") == "ILSVRC2012":
        from torchvision.models import AlexNet_Weights

        warnings.warn(
            f"labels_file: the model's metadata name a list of its classes, {name!r}, that is not "
            f"in its folder {folder}: ImageNet's usual names are taken; put that file there, or "
            "name the classes (labels=, --labels FILE)",
            InputWarning,
            stacklevel=2,
        )
        return list(AlexNet_Weights.IMAGENET1K_V1.meta["categories"])
    raise ModelError(
        f"labels_file: the model's metadata name a list of its classes, {name!r}, that is not in "
        f"its folder {folder}: put that file there, or name the classes (labels=, --labels FILE)"
    )


def _size(metadata: Mapping[str, object]) -> tuple[int, int] | None:
    """(y, x) from e.g. 224 or [240, 224]; None if nothing is said."""
    if "input_size" not in metadata:
        return None
    numbers = _numbers(metadata, "input_size", 2, 0.0)
    height, width = int(numbers[0]), int(numbers[-1])
    if not (0 < height <= _MAX_LENGTH and 0 < width <= _MAX_LENGTH):
        raise ModelError(
            f"input_size={metadata['input_size']!r}: expected 1 to {_MAX_LENGTH:,} pixels"
        )
    return height, width


def _resize(text: str, size: tuple[int, int] | None) -> tuple[int | None, str]:
    """Short side (None: stretch) and filter from e.g. "short side 256 (bilinear), centre crop"."""
    named = re.search(r"\((\w+)\)", text)
    interpolation = named.group(1).lower() if named else "bilinear"
    if interpolation not in FILTERS:
        raise ModelError(f"resize={text!r}: unknown filter; expected one of {', '.join(FILTERS)}")
    side = re.search(r"short side (\d{1,5})\b", text)
    if side:
        return int(side.group(1)), interpolation
    if text and not text.startswith("stretch"):
        raise ModelError(
            f"resize={text!r:.200}: expected 'short side N (filter), centre crop' or "
            "'stretch (filter)'"
        )
    return (None if text or size is None else min(size)), interpolation


def _numbers(
    metadata: Mapping[str, object], key: str, channels: int, default: float
) -> tuple[float, ...]:
    """One number, or one per channel; texts separate them by commas."""
    value = metadata.get(key, default)
    parts = value.split(",") if isinstance(value, str) else value
    try:
        several = parts if isinstance(parts, list | tuple) else [parts]
        numbers = tuple(float(cast(SupportsFloat, part)) for part in several)
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if len(numbers) not in {1, channels} or not all(map(math.isfinite, numbers)):
        raise ModelError(f"{key}={value!r:.200}: expected a number, or {channels} of them")
    return numbers


def _choice(metadata: Mapping[str, object], key: str, choices: tuple[str, str]) -> str:
    value = str(metadata.get(key, choices[0])).upper()
    if value not in choices:
        raise ModelError(f"{key}={value!r}: expected {' or '.join(choices)}")
    return value
