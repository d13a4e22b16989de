"""Settings of an explanation: their defaults, and the only place where they are checked (`checks`).

Three parts, as three parts of the work need them: the question (what is explained), the sampling
(which windows are hidden, by which draws) and the work (how it is computed). What a setting means
stands in the docstring of `explain`, whose signature a test holds against the defaults here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from preddiff.engines.base import ENGINES, PRECISIONS
from preddiff.errors import InputError, SettingError
from preddiff.media.labels import OpenedRegions, RegionSource, open_regions
from preddiff.media.mask_files import OpenedMask, open_mask
from preddiff.models.base import WindowKind
from preddiff.models.targets import Target
from preddiff.pipeline import checks, lengths
from preddiff.pipeline.lengths import Size
from preddiff.samplers import Sampler
from preddiff.targets import OfOutput, pairs
from preddiff.targets import Target as OutputTarget
from preddiff.targets.base import Returned

WINDOW, WINDOW_OF_VOLUMES = 10, 3
"""The paper's k for pictures (section 4.1) and for scans (section 4.2)."""

WINDOW_OF_SETS, WINDOW_OF_SETS_OF_VOLUMES = 16, 6
"""Window where sets of windows are hidden: a few hundred of them cover an input. Of pictures, it is
in proportion to `USUAL_SIDE`."""

USUAL_SIDE = 224
"""Shorter side of most networks' input, in pixels."""

SAMPLES = 10
"""Draws per window in the paper; of a set of windows, one, as there are many sets."""

PAPER: Mapping[str, Any] = MappingProxyType(
    {"sampler": "conditional", "samples": SAMPLES, "stride": 1}
)
"""The paper's protocol in one word, `explain(..., settings=PAPER)`: every window alone, ten draws
of each, given its surroundings (sections 4.1 and 4.2)."""

SETS = 1000
"""Sets of windows that are hidden of pictures for which the caller says nothing of sampling."""

Targets = Target | Sequence[Target] | OutputTarget | Callable[[Returned], Returned]
"""Classes, channels or units that are named, or what is made of a model's output."""

_SEEDS_APART = 1 << 56  # of windows of two sizes; a channelwise sampler takes steps of 2^40
_BELOW_ONE = float(np.nextafter(1, 0))  # the largest number below 1


@dataclass(frozen=True)
class Question:
    """The question that is asked of a model about an input."""

    targets: Targets | None = None
    node: str | None = None
    source: str | None = None
    measure: str = "auto"
    train_size: float | None = None
    mask: ArrayLike | str | Path | OpenedMask | None = None
    resample: bool = False
    channels: Sequence[str] | None = None
    baselines: Sequence[str] = ()

    def __post_init__(self) -> None:
        _set(self, targets=_opened_targets(self.targets))
        if self.of_output is not None and (self.node, self.source) != (None, None):
            raise SettingError(
                f"targets={self.of_output.name!r}: is made of the model's output; leave node and "
                "source out"
            )
        for name in ("node", "source"):
            checks.check_name(name, getattr(self, name), "the name of a node")
        checks.check_name("measure", self.measure, "the name of a measure, e.g. WE")
        if self.train_size is not None:
            expected = "more than 0 examples, as a number"
            _set(self, train_size=checks.number("train_size", self.train_size, expected))
        if self.mask is not None:
            _set(self, mask=open_mask(self.mask))
        _set(
            self,
            resample=checks.flag("resample", self.resample),
            baselines=checks.baseline_names(self.baselines),
        )

    @property
    def of_output(self) -> OutputTarget | None:
        """The target that is made of the output; None where classes or channels are named."""
        return self.targets if isinstance(self.targets, OutputTarget) else None

    @property
    def named_targets(self) -> Target | Sequence[Target] | None:
        """The classes, channels or units that are named."""
        named = None if self.of_output is not None else self.targets
        return cast("Target | Sequence[Target] | None", named)

    @property
    def opened_mask(self) -> OpenedMask | None:
        """The mask, which was opened when the question was made."""
        return cast(OpenedMask | None, self.mask)


@dataclass(frozen=True)
class Sampling:
    """The windows that are hidden, and the draws that hide them."""

    sampler: str | Sampler | None = None
    window: int | str | Sequence[int | str | Sequence[int]] | None = None
    margin: int = 2
    samples: int | None = None
    stride: int | str | Sequence[int] | None = None
    seed: int = 0
    sets: int | None = None
    regions: RegionSource | None = None

    def __post_init__(self) -> None:
        if self.regions is not None:
            _set(self, regions=open_regions(self.regions))
            self._check_regions()
        for name, least in (("margin", 0), ("seed", 0)):
            _set(self, **{name: checks.whole(name, getattr(self, name), least)})
        for name in ("samples", "sets"):
            if getattr(self, name) is not None:
                _set(self, **{name: checks.whole(name, getattr(self, name), 1)})
        if self.stride is not None:
            _set(self, stride=lengths.stride(self.stride))
        if self.window is not None:
            _set(self, window=lengths.window(self.window))
        if self.window in lengths.KINDS and self.stride not in {None, 1}:
            raise SettingError(f"stride={self.stride}: every {self.window} is hidden; leave it out")

    def _check_regions(self) -> None:
        """Raise a SettingError for what regions do not go with."""
        if self.sets is None:
            raise SettingError(
                "regions: are hidden in random sets; say of how many, e.g. sets=600, or ask for "
                "preddiff.interactions, which hides them alone and in pairs"
            )
        if self.stride is not None or isinstance(self.window, str | Sequence):
            said = f"window={self.window!r}" if self.stride is None else f"stride={self.stride}"
            raise SettingError(f"{said}: regions are hidden, not windows; leave it out")

    @property
    def opened_regions(self) -> OpenedRegions | None:
        """The regions, which were opened when the settings were made."""
        return cast(OpenedRegions | None, self.regions)

    @property
    def is_open(self) -> bool:
        """True where the caller said nothing of windows and draws."""
        return replace(self, seed=0) == Sampling()

    @property
    def hides_with(self) -> str | Sampler:
        """The sampler; the paper's where the caller named none."""
        return "conditional" if self.sampler is None else self.sampler

    def over(self, *, volume: bool, side: int = USUAL_SIDE) -> "Sampling":
        """Return these settings with a window where the caller named none.

        Parameters
        ----------
        side : the input's shorter side, in pixels.
        """
        if self.window is not None:
            return self
        # Of regions, the window is only what the conditional sampler draws at once.
        if self.sets is None or self.regions is not None:
            return replace(self, window=WINDOW_OF_VOLUMES if volume else WINDOW)
        return replace(self, window=WINDOW_OF_SETS_OF_VOLUMES if volume else _window_of_sets(side))

    def recommended(self, side: int) -> "Sampling":
        """Return the sampling of pictures whose map holds best against hiding what it marks.

        Of those, at least, that take a thousand passes (docs/evaluation.md).
        """
        window = _window_of_sets(side)
        return replace(self, sampler="blurred", window=window, stride=-(-window // 2), sets=SETS)

    @property
    def parts(self) -> "list[Sampling]":
        """The sampling of each size of windows: its share of the sets, and draws of its own."""
        if not isinstance(self.window, tuple):
            return [self]
        share = None if self.sets is None else -(-self.sets // len(self.window))
        # The seed of the first is as stated, so that its map is that of these windows alone.
        return [
            replace(
                self, window=k, sets=share, seed=(self.seed + n * _SEEDS_APART) % checks.LARGEST
            )
            for n, k in enumerate(self.window)
        ]

    @property
    def draws(self) -> int:
        """Draws per window, or per set of windows."""
        if self.samples is not None:
            return self.samples
        return SAMPLES if self.sets is None else 1

    @property
    def step(self) -> Size:
        """Pixels from one window to the next."""
        if self.stride is not None:
            return lengths.in_pixels(cast("int | str", self.stride))
        return 1 if self.sets is None else self.size

    @property
    def size(self) -> Size:
        """Length of a window along each of its axes; a channel or a unit is one along theirs."""
        return lengths.in_pixels(cast("int | str | None", self.window))

    @property
    def is_in_pixels(self) -> bool:
        """True where lengths are known whatever the input."""
        said = cast("tuple[int | str | None, ...]", (self.window, self.stride))
        return all(map(lengths.is_in_pixels, said))

    @property
    def view(self) -> WindowKind:
        """The part of a hidden node's values that a window covers."""
        return self.window if self.window in lengths.KINDS else "positions"  # type: ignore[return-value]


@dataclass(frozen=True)
class Work:
    """The way in which draws are evaluated, and when to stop."""

    engine: str = "auto"
    precision: str = "auto"
    tolerance: float | None = None
    device: str = "cpu"
    memory: int | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        checks.check_choice("engine", self.engine, ("auto", *ENGINES))
        checks.check_choice("precision", self.precision, ("auto", *PRECISIONS))
        checks.check_name("device", self.device, "cpu, cuda or mps")
        if self.tolerance is not None:
            expected = "a relative error above 0 and below 1, e.g. 0.1"
            _set(
                self,
                tolerance=checks.number("tolerance", self.tolerance, expected, most=_BELOW_ONE),
            )
        if self.memory is not None:
            expected = "a number of bytes above 0, e.g. 2**30"
            _set(
                self,
                memory=int(checks.number("memory", self.memory, expected, most=checks.LARGEST)),
            )
        if self.budget is not None:
            expected = "seconds above 0, e.g. 600"
            _set(self, budget=checks.number("budget", self.budget, expected))


@dataclass(frozen=True)
class Settings:
    """All settings of an explanation."""

    question: Question = field(default_factory=Question)
    sampling: Sampling = field(default_factory=Sampling)
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        if self.sampling.window in lengths.KINDS and self.question.source is None:
            raise SettingError(
                f"window={self.sampling.window!r}: is of a hidden node: say which with source="
            )
        if self.sampling.sets is not None and self.work.engine not in {"auto", "dense"}:
            raise SettingError(
                f"engine={self.work.engine!r}: sets of windows change most of an input, and are "
                "evaluated by whole passes; choose engine='auto'"
            )

    def over(self, *, volume: bool, side: int) -> "Settings":
        """Return these settings with what is best where the caller named nothing.

        Of a picture's classes, that is the recommended sampling. Nothing but the paper's protocol
        was measured of scans and hidden nodes; a tolerance, an engine and a precision are of single
        windows.

        Parameters
        ----------
        side : the input's shorter side, in pixels.
        """
        question, work = self.question, self.work
        single = (question.node, question.source, work.tolerance)
        as_usual = (work.engine, work.precision) == ("auto", "auto")
        if self.sampling.is_open and not volume and as_usual and single == (None,) * 3:
            return replace(self, sampling=self.sampling.recommended(side))
        return replace(self, sampling=self.sampling.over(volume=volume, side=side))

    def of_row(self, features: int) -> "Settings":
        """Return these settings with what rows of a table need where the caller named nothing.

        Raises
        ------
        InputError
            If there is no sampler: what features could be is known from a table only.
        """
        if self.sampling.sampler is None:
            raise InputError(
                f"an array of shape ({features},): expected (channel, y, x) or (channel, z, y, x); "
                "if it is a row of a table, say what features could be, e.g. "
                "sampler=preddiff.samplers.Marginal(table)"
            )
        if self.question.node or self.question.source:
            raise SettingError("a row of numbers: nodes are of pictures and scans; leave them out")
        window = 1 if self.sampling.window is None else self.sampling.window
        return replace(self, sampling=replace(self.sampling, window=window))

    def of_signal(self, shape: tuple[int, ...]) -> "Settings":
        """Return these settings, which have to say what could stand in a signal.

        Raises
        ------
        InputError
            If there is no sampler: nothing is known of signals in general.
        """
        if self.sampling.sampler is None:
            raise InputError(
                f"a signal of shape {shape}: say what could have stood there, e.g. sampler="
                "preddiff.samplers.Marginal(signals), of shape (n, channel, time)"
            )
        if self.question.node or self.question.source:
            raise SettingError("a signal: nodes are of pictures and scans; leave them out")
        return self

    @property
    def parts(self) -> "list[Settings]":
        """The settings of each size of windows."""
        return [replace(self, sampling=each) for each in self.sampling.parts]

    @classmethod
    def of(cls, preset: Mapping[str, Any] | None = None, **values: Any) -> "Settings":
        """Return the settings from the keywords of `explain`, each to its part.

        Parameters
        ----------
        preset : what those are that the caller left at None.
        """
        parts = (Question, Sampling, Work)
        values |= _of_preset(preset, values)
        own = ({n: values[n] for n in _names_of(part) if n in values} for part in parts)
        return cls(*(part(**given) for part, given in zip(parts, own, strict=True)))


def _opened_targets(wanted: Returned) -> Returned:
    """Return targets, of which a function and a contrast are made of the model's output."""
    if callable(wanted):
        return OfOutput(wanted)
    one = wanted if isinstance(wanted, str) else None
    if isinstance(wanted, list | tuple) and len(wanted) == 1 and isinstance(wanted[0], str):
        one = wanted[0]  # as the command line gives it
    return (one is not None and pairs.read(one)) or wanted


def _of_preset(preset: object, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of a preset that the caller did not name."""
    if preset is None:
        return {}
    if not isinstance(preset, Mapping):
        raise SettingError(f"settings={preset!r}: expected preddiff.PAPER or a mapping of settings")
    for name in preset:
        if name not in _names_of(Sampling):
            raise SettingError(
                f"settings: {name!r} is none of {', '.join(_names_of(Sampling))}; name it in the "
                "call"
            )
    return {name: value for name, value in preset.items() if values.get(name) is None}


def _names_of(part: type[Any]) -> list[str]:
    return [each.name for each in fields(part)]


def _window_of_sets(side: int) -> int:
    """Return the window of a picture of which sets of windows are hidden: as many in each."""
    return max(1, round(WINDOW_OF_SETS * side / USUAL_SIDE))


def _set(part: Any, **values: Any) -> None:
    """Replace fields of a frozen part while it is made: by what they were coerced to."""
    for name, value in values.items():
        object.__setattr__(part, name, value)
