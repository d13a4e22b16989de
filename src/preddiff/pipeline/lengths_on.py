"""Lengths of windows and strides on one input: millimetres become voxels, and tokens pixels."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from preddiff.errors import SettingError
from preddiff.models import Model
from preddiff.models.asking import Asking
from preddiff.pipeline import lengths
from preddiff.pipeline.settings import Settings
from preddiff.pipeline.subject import Subject

_NAMES = ("window", "stride")


def on_input(settings: Settings, subject: Subject) -> tuple[Settings, Mapping[str, str]]:
    """Return settings whose lengths are in pixels or voxels, and what was said instead, by name.

    Windows of tokens are a token apart, where no stride is said and they are hidden alone.

    Raises
    ------
    SettingError
        If the input, or its model, does not have what a length is said in.
    """
    sampling = settings.sampling
    if sampling.is_in_pixels:
        return settings, {}
    said = {name: cast("int | str | None", getattr(sampling, name)) for name in _NAMES}
    if lengths.is_of_tokens(said["window"]) and said["stride"] is None and sampling.sets is None:
        said["stride"] = "token"
    grid = subject.source.grid if subject.on_scan else None
    voxel = None if grid is None else grid.voxel_size[::-1]

    def found(name: str, value: int | str) -> int | str:
        in_pixels = lengths.of_tokens(value, lambda: _token(subject, settings))
        return lengths.of_scan(name, in_pixels, voxel)

    known = {name: None if value is None else found(name, value) for name, value in said.items()}
    changed = {name: str(value) for name, value in said.items() if known[name] != value}
    sampling = replace(sampling, window=known["window"], stride=known["stride"])
    return replace(settings, sampling=sampling), changed


def _token(subject: Subject, settings: Settings) -> tuple[int, ...]:
    """Return the length of a token of the subject's network along each axis."""
    if settings.question.source is not None:
        raise SettingError("window='token': is of the input, not of a hidden node; give a number")
    model: Model = subject.model
    while isinstance(model, Asking):
        model = model.model
    module = getattr(model, "module", None)
    if module is None:
        raise SettingError(
            f"window='token': {model.spec} is no torch network, of which patches are known: give "
            "pixels, e.g. window=16"
        )
    from preddiff.models.networks.tokens import token_size

    return token_size(module, model.spec)
