"""From what a caller says to what is run: everything is checked before the work starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from preddiff.engines import Dense, Engine
from preddiff.errors import InputError, SettingError
from preddiff.evidence import IMAGENET_TRAIN_SIZE, ActivationDifference, Measure, WeightOfEvidence
from preddiff.media import images
from preddiff.models import Model, targets
from preddiff.models.base import as_inputs
from preddiff.models.targets import Target
from preddiff.samplers import Sampler
from preddiff.samplers import load as samplers
from preddiff.samplers.base import Range
from preddiff.windows import Windows

Picture = str | Path | Image.Image | ArrayLike


@dataclass(frozen=True)
class Settings:
    """What `explain` was asked for; its docstring says what each means."""

    targets: Target | Sequence[Target] | None
    node: str | None
    source: str | None
    sampler: str | Sampler
    window: int
    margin: int
    samples: int
    stride: int
    seed: int
    engine: str
    precision: str
    tolerance: float | None
    mask: ArrayLike | str | Path | None
    train_size: float | None
    measure: str


@dataclass(frozen=True, eq=False)
class Plan:
    """What is run.

    Attributes
    ----------
    inputs : (channel, *spatial), as the model sees it.
    valid : range that draws are clipped to; None if unlimited.
    samples : draws per window, no more than the sampler has different ones.
    targets : numbers of classes or channels.
    base : (target,), their values on the unperturbed input.
    facts : the settings as a result's provenance says them.
    """

    model: Model
    inputs: NDArray[np.float32]
    windows: Windows
    sampler: Sampler
    valid: Range | None
    samples: int
    seed: int
    node: str | None
    targets: list[int]
    base: NDArray[np.float64]
    measure: Measure
    engine: Engine
    facts: dict[str, Any]

    def draw(self, windows: Windows) -> NDArray[np.float32]:
        """Draws (window, draw, channel, *size) for some of the windows."""
        return self.sampler.draw(self.inputs, windows, self.samples, self.seed, self.valid)

    @property
    def labels(self) -> list[str]:
        """A name for every target."""
        return targets.names(self.targets, self.model.labels, self.node)


def make(model: Model, picture: Picture, wish: Settings) -> Plan:
    """The plan, or an error that says which wish cannot be met."""
    _check(wish)
    if isinstance(picture, str | Path):
        picture = images.read(picture)
    if isinstance(picture, Image.Image) and min(picture.size) < wish.window:
        raise InputError(
            f"the picture has {picture.width}×{picture.height} pixels, less than a window of "
            f"{wish.window}: expected a larger picture, or a smaller window"
        )
    inputs = model.prepare(picture if isinstance(picture, Image.Image) else as_inputs(picture))
    windows = _windows(inputs, wish)
    if wish.mask is not None:
        windows = _touching(windows, wish.mask, picture, model)
    valid = (0.0, 1.0) if inputs.ndim == 3 else None  # pictures; of scans nothing is known
    sampler = samplers.load_sampler(
        wish.sampler,
        shape=inputs.shape,
        window=wish.window,
        margin=wish.margin,
        prepare=model.prepare,
        mean=model.mean,
    )
    sampler.check(inputs, windows, valid)
    samples = min(wish.samples, sampler.population or wish.samples)
    values = model.predict(inputs[None], wish.node)[0]
    chosen = targets.resolve(wish.targets, values, None if wish.node else model.labels)
    measure = _measure(wish, model, values)
    engine = Dense(model, inputs, chosen, wish.node)
    facts = {
        "model": model.spec,
        "model_sha256": model.sha256 or "",
        "sampler": samplers.name(wish.sampler),
        "sampler_sha256": sampler.sha256,
        "node": wish.node or "",
        "window": wish.window,
        "margin": wish.margin if isinstance(wish.sampler, str) else "",
        "samples": samples,
        "stride": wish.stride,
        "seed": wish.seed,
        "masked": wish.mask is not None,
        "engine": engine.name,
        "precision": "float32",
        **measure.facts,
    }
    return Plan(
        model=model,
        inputs=inputs,
        windows=windows,
        sampler=sampler,
        valid=valid,
        samples=samples,
        seed=wish.seed,
        node=wish.node,
        targets=chosen,
        base=values[chosen],
        measure=measure,
        engine=engine,
        facts=facts,
    )


def _check(wish: Settings) -> None:
    for name, least in (("window", 1), ("margin", 0), ("samples", 1), ("stride", 1), ("seed", 0)):
        value = getattr(wish, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            raise SettingError(f"{name}={value!r}: expected a whole number of at least {least}")
    for name, text, known in (
        ("engine", wish.engine, ("auto", "dense")),
        ("precision", wish.precision, ("auto", "float32")),
    ):
        if text not in known:
            raise SettingError(f"{name}={text!r}: expected one of {', '.join(known)}")
    for name, later in (("source", wish.source), ("tolerance", wish.tolerance)):
        if later is not None:
            raise SettingError(f"{name}={later!r}: not in this version; leave it out")


def _windows(inputs: NDArray[np.float32], wish: Settings) -> Windows:
    try:
        return Windows.over(inputs.shape[1:], wish.window, wish.stride)
    except SettingError:
        if inputs.ndim == 4 and inputs.shape[1] <= 4:
            raise InputError(
                f"an array of shape {inputs.shape} is a volume of {inputs.shape[1]} slices, too "
                f"few for a window of {wish.window}; if it is a batch of one picture, pass array[0]"
            ) from None
        raise


def _touching(
    windows: Windows, mask: ArrayLike | str | Path, picture: Picture, model: Model
) -> Windows:
    if isinstance(mask, str | Path):
        drawn = images.read(mask)
        if isinstance(picture, Image.Image) and drawn.size != picture.size:
            raise InputError(
                f"{mask}: has {drawn.width}×{drawn.height} pixels, expected those of the picture, "
                f"{picture.width}×{picture.height}"
            )
        mask = model.prepare(drawn).max(axis=0) > 0.5
    inside = np.asarray(mask).astype(bool)
    if inside.shape != windows.shape:
        raise InputError(
            f"a mask of shape {inside.shape}: expected that of the input as the model sees it, "
            f"{windows.shape}"
        )
    touched = windows.touching(inside)
    if len(touched) == 0:
        raise InputError("no window touches the mask: expected true (white) where it matters")
    return touched


def _measure(wish: Settings, model: Model, values: NDArray[np.float64]) -> Measure:
    """The measure that is meant; "auto" is WE for probabilities and AD for anything else."""
    names = {"WE": WeightOfEvidence.name, "AD": ActivationDifference.name}  # the paper's symbols
    names["auto"] = names["WE" if model.is_probability(wish.node) else "AD"]
    name = names.get(wish.measure, wish.measure)
    if name not in names.values():
        known = ", ".join([*names, *sorted(set(names.values()))])
        raise SettingError(f"measure={name!r}: expected one of {known}")
    if name == ActivationDifference.name:
        return ActivationDifference()
    size = wish.train_size if wish.train_size is not None else model.train_size
    size = IMAGENET_TRAIN_SIZE if size is None else size
    if not size > 0:
        raise SettingError(f"train_size={size}: expected more than 0 training examples")
    measure = WeightOfEvidence(float(size), len(values))
    measure.check(values)
    return measure
