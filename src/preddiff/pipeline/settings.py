"""What `explain` was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

from numpy.typing import ArrayLike
from PIL import Image

from preddiff.engines.base import ENGINES, PRECISIONS
from preddiff.errors import SettingError, nearest
from preddiff.media.volumes import Volume
from preddiff.models.networks.hidden import WindowKind
from preddiff.models.targets import Target
from preddiff.results.explanation import BASELINES
from preddiff.samplers import Sampler

_LEAST = {"window": 1, "margin": 0, "samples": 1, "stride": 1, "seed": 0}

Picture = str | Path | Image.Image | ArrayLike | Volume


@dataclass(frozen=True)
class Settings:
    """What `explain` was asked for; its docstring says what each means."""

    targets: Target | Sequence[Target] | None
    node: str | None
    source: str | None
    sampler: str | Sampler
    window: int | str
    margin: int
    samples: int
    stride: int
    seed: int
    engine: str
    precision: str
    tolerance: float | None
    device: str
    memory: int | None
    mask: ArrayLike | str | Path | None
    resample: bool
    train_size: float | None
    measure: str
    baselines: Sequence[str]

    @property
    def length(self) -> int:
        """Of a window along each of its axes; a channel or a unit is one along theirs."""
        return 1 if isinstance(self.window, str) else self.window

    @property
    def view(self) -> WindowKind:
        """What a window over a hidden node hides."""
        return self.window if isinstance(self.window, str) else "positions"  # type: ignore[return-value]

    def check(self) -> None:
        """Raise a SettingError for a value that no model or input could make sense of."""
        if isinstance(self.window, str):
            self._check_view()
        for name, least in _LEAST.items():
            value = self.length if name == "window" else getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
                raise SettingError(f"{name}={value!r}: expected a whole number of at least {least}")
        for name, text, known in (
            ("engine", self.engine, ("auto", *ENGINES)),
            ("precision", self.precision, ("auto", *PRECISIONS)),
        ):
            if text not in known:
                raise SettingError(f"{name}={text!r}: expected one of {', '.join(known)}")
        if self.tolerance is not None and not (
            isinstance(self.tolerance, Real) and 0 < self.tolerance < 1
        ):
            raise SettingError(
                f"tolerance={self.tolerance!r}: expected a relative error above 0 and below 1, "
                "e.g. 0.1"
            )
        for name in self.baselines:
            if name not in BASELINES:
                raise SettingError(
                    f"baselines={name!r}: expected some of {', '.join(BASELINES)}"
                    f"{nearest(name, BASELINES)}"
                )
        if self.memory is not None and not self.memory > 0:
            raise SettingError(f"memory={self.memory!r}: expected a number of bytes above 0")

    def _check_view(self) -> None:
        if self.window not in {"channel", "unit"}:
            raise SettingError(
                f"window={self.window!r}: expected a whole number, or, with source=, channel or "
                "unit"
            )
        if self.source is None:
            raise SettingError(
                f"window={self.window!r}: is of a hidden node: say which with source="
            )
        if self.stride != 1:
            raise SettingError(f"stride={self.stride}: every {self.window} is hidden; leave it out")
