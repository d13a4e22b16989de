"""Preprocessing as torchvision, timm and HuggingFace describe it, in our own settings.

Their objects are known by what they have, not by their class: none of the libraries is imported.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from preddiff.errors import ModelError, first_line
from preddiff.media.reading import failures_as
from preddiff.models.networks.preprocessing import Preprocessing

Settings = dict[str, object]
"""Keys of `metadata.KEYS` and their values."""

Theirs = Any
"""What another library made: an object of it, or an entry of its configuration."""

_FORMS = (
    "expected a mapping or a JSON file (docs/models.md), a torchvision Compose or "
    "weights.transforms(), timm's resolve_data_config(...), or an image processor of HuggingFace"
)
_SMALL_CONVNEXT = 384  # sides below which ConvNeXt's processor crops
_ALLOWED = 0.05  # mean deviation, in the network's own numbers, by how a picture is interpolated
_PROBE = (320, 250)  # the picture on which a transform is held against its settings
_WHITE = 255


def settings_of(source: object) -> Settings | None:
    """Return the settings that a library's description comes to; None if it is none.

    Raises
    ------
    ModelError
        If it does what the settings cannot say; the message names it.
    """
    if isinstance(source, Mapping):
        # A file may hold anything under these names.
        with failures_as(lambda why: ModelError(f"preprocess: not understood ({why}); {_FORMS}")):
            if "image_mean" in source or "do_normalize" in source:
                return _of_processor(source)
            return _of_timm(source) if "crop_pct" in source else None
    if hasattr(source, "image_processor"):  # of pictures and texts
        return settings_of(source.image_processor)
    if hasattr(source, "image_mean"):
        return _of_processor(source.to_dict() if hasattr(source, "to_dict") else vars(source))
    if hasattr(source, "resize_size") and hasattr(source, "crop_size"):
        return _of_preset(source)
    if hasattr(source, "transforms"):
        return _of_steps(source.transforms)
    raise ModelError(f"preprocess={type(source).__name__}: not understood; {_FORMS}")


def check(source: object, preprocessing: Preprocessing) -> None:
    """Raise a ModelError if a transform gives another picture than its settings do."""
    if not callable(source):
        return
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (10, 13, 3), dtype=np.uint8))
    picture = coarse.resize(_PROBE, Image.Resampling.BICUBIC)
    ours = preprocessing.normalise(torch.from_numpy(preprocessing.prepare(picture))[None])[0]
    try:
        theirs = _called(source, picture)
    except Exception as error:
        raise ModelError(
            f"preprocess={type(source).__name__}: failed on a picture ({first_line(error)}); "
            f"{_FORMS}"
        ) from None
    if theirs.shape != ours.shape or float((theirs - ours).abs().mean()) > _ALLOWED:
        raise ModelError(
            f"preprocess={type(source).__name__}: gives {tuple(theirs.shape)}, and other values "
            f"than Resize, CenterCrop, ToTensor and Normalize of its numbers do; {_FORMS}"
        )


def _called(source: Callable[..., Theirs], picture: Image.Image) -> torch.Tensor:
    """Return what a transform, or a processor of HuggingFace, makes of a picture."""
    if hasattr(source, "image_mean") or hasattr(source, "image_processor"):
        found = source(images=picture, return_tensors="np")["pixel_values"][0]
    else:
        found = source(picture)
    return torch.as_tensor(np.asarray(found), dtype=torch.float32)


def _of_preset(source: Theirs) -> Settings:
    """Settings of what `weights.transforms()` of torchvision returns."""
    return {
        **_resized(source.resize_size, source.crop_size, _filter(source.interpolation)),
        "mean": list(source.mean),
        "std": list(source.std),
    }


def _of_timm(config: Mapping[str, Theirs]) -> Settings:
    """Settings of timm's `resolve_data_config` and `resolve_model_data_config`."""
    channels, height, width = config["input_size"]
    stretched = config.get("crop_mode") == "squash"
    # timm says which share of the resized picture the centre crop keeps.
    side = math.floor(min(height, width) / config["crop_pct"])
    return {
        **_resized(
            (height, width) if stretched else side, (height, width), config["interpolation"]
        ),
        "channels": channels,
        "mean": list(config["mean"]),
        "std": list(config["std"]),
    }


def _of_processor(config: Mapping[str, Theirs]) -> Settings:
    """Settings of HuggingFace's image processors, and of their preprocessor_config.json."""
    settings: Settings = {}
    if config.get("do_resize", True) and config.get("size") is not None:
        settings |= _size_of_processor(config)
    factor = config.get("rescale_factor") or 1 / _WHITE
    scale = _WHITE * float(factor) if config.get("do_rescale", True) else _WHITE
    # Their EfficientNet goes from -1 to 1 before it is normalised.
    shift = 1.0 if config.get("rescale_offset") else 0.0
    settings["scale"] = scale
    if config.get("do_normalize", True):
        settings["mean"] = [value + shift for value in config["image_mean"]]
        settings["std"] = list(config["image_std"])
    elif shift:
        settings["mean"] = shift
    return settings


def _size_of_processor(config: Mapping[str, Theirs]) -> Settings:
    filters = {each.value: each.name.lower() for each in Image.Resampling}
    interpolation = filters.get(config.get("resample", Image.Resampling.BILINEAR), "unknown")
    side, height, width = _lengths(config["size"])
    share = config.get("crop_pct")
    if share and side and side < _SMALL_CONVNEXT:
        return _resized(int(side / share), (side, side), interpolation)
    if share and side:
        return _resized((side, side), (side, side), interpolation)
    crop = None
    if config.get("do_center_crop"):
        cropped, *rest = _lengths(config["crop_size"])
        crop = (cropped, cropped) if cropped else tuple(rest)
    if side and crop is None:
        raise ModelError(
            f"preprocess: size {config['size']} without a centre crop gives pictures of many "
            "shapes; say input_size and resize yourself (docs/models.md)"
        )
    return _resized(side or (height, width), crop or (height, width), interpolation)


def _lengths(size: Theirs) -> tuple[int, int, int]:
    """Return the short side, height and width of a size; 0 is what it does not say."""
    if isinstance(size, Mapping):
        names = ("shortest_edge", "height", "width")
        side, height, width = (int(size.get(name) or 0) for name in names)
        return side, height, width
    if isinstance(size, Sequence):
        return (0, int(size[0]), int(size[-1]))
    return (int(size), 0, 0)


def _resized(size: Theirs, crop: Theirs, interpolation: str) -> Settings:
    """Settings of a resize to a short side or to (y, x), and a centre crop."""
    height, width = (int(crop[0]), int(crop[-1])) if isinstance(crop, Sequence) else (crop, crop)
    several = isinstance(size, Sequence)
    if several and len(size) > 1:
        if (int(size[0]), int(size[1])) != (height, width):
            raise ModelError(
                f"preprocess: a resize to {tuple(size)} and then a crop of {height}×{width}: "
                "expected a short side, or the size of the crop; say input_size and resize "
                "yourself (docs/models.md)"
            )
        how = f"stretch ({interpolation})"
    else:
        side = int(size[0] if several else size)
        how = f"short side {side} ({interpolation}), centre crop"
    return {"input_size": [height, width], "resize": how}


def _of_steps(steps: Sequence[Theirs]) -> Settings:
    """Settings of the steps of a Compose of torchvision, of its first or second version."""
    settings: Settings = {}
    size = crop = None
    interpolation = "bilinear"
    for step in steps:
        names = {each.__name__ for each in type(step).__mro__}
        if "Resize" in names:
            size, interpolation = step.size, _filter(step.interpolation)
        elif "CenterCrop" in names:
            crop = step.size
        elif "Normalize" in names:
            settings |= {"mean": _numbers(step.mean), "std": _numbers(step.std)}
        elif "Grayscale" in names and step.num_output_channels == 1:
            settings["channels"] = 1
        elif not names & _CONVERSIONS:
            raise ModelError(
                f"preprocess: {type(step).__name__} is no step of a picture's evaluation that is "
                "known: expected Resize, CenterCrop, ToTensor and Normalize; say what it comes to "
                "in a mapping (docs/models.md)"
            )
    if size is None and crop is None:
        return settings
    several = isinstance(size, Sequence) and len(size) > 1
    if size is None or (crop is None and not several):
        raise ModelError(
            "preprocess: Resize to a short side and CenterCrop go together: one of them gives "
            "pictures of many shapes; say input_size and resize yourself (docs/models.md)"
        )
    return {**settings, **_resized(size, crop or size, interpolation)}


# From a picture to floats in [0, 1]; `check` sees whether they come to that.
_CONVERSIONS = {
    *("ToTensor", "PILToTensor", "ToImage", "ToPureTensor"),
    *("ToDtype", "ConvertImageDtype", "ToRGB", "RGB"),
}


def _filter(interpolation: Theirs) -> str:
    """Return the name of a filter, which torchvision keeps as a text or as one of a list."""
    return str(getattr(interpolation, "value", interpolation))


def _numbers(values: Theirs) -> list[float]:
    return [float(each) for each in values]
