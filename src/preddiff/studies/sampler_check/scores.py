"""Scores: a sampler's draws held against what really stands in windows, input by input."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from preddiff.errors import SettingError
from preddiff.samplers.base import Likely, Sampler, ValidRange
from preddiff.studies.sampler_check import sites, telling
from preddiff.types import Draws, Floats, Pixels, WindowPixels

INTERVALS = (0.5, 0.8, 0.95)
"""Of the central intervals whose coverage is counted."""

Numbers = Annotated[Floats, "input"]

_STEPS = 255  # of a picture in a file: real and drawn windows are compared as it would hold them


@dataclass(frozen=True)
class Mean:
    """A mean over inputs with its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, numbers: Numbers) -> "Mean":
        """Return the mean of one number for each input, and the standard error of it."""
        error = np.std(numbers, ddof=1) / np.sqrt(len(numbers)) if len(numbers) > 1 else np.nan
        return cls(float(np.mean(numbers)), float(error))


@dataclass(frozen=True, eq=False)
class Scores:
    """Quality of a sampler.

    Attributes
    ----------
    bits : log2 density of a window given what is around it, per value, in pictures at most the 8
        bits of a file; None if it is not known.
    deviation : root mean square of what the mean of the draws is off, in units of the input.
    coverage : of the central intervals of `INTERVALS`; None of a sampler with a single draw.
    area : under the ROC curve of a classifier of real and drawn windows.
    rate : draws a second.
    inputs, windows, samples : how many inputs, windows in all of them, draws of a window.
    sheet : typical places with some of their draws.
    """

    bits: Mean | None
    deviation: Mean
    coverage: tuple[Mean, ...] | None
    area: Mean
    rate: float
    inputs: int
    windows: int
    samples: int
    sheet: "tuple[Example, ...]"


@dataclass(frozen=True, eq=False)
class Example:
    """A window with what is around it, and the same with draws in its place."""

    kind: str
    real: Annotated[Floats, "channel *size"]
    drawn: Annotated[Floats, "draw channel *size"]
    margin: int


class Check:
    """Holds a sampler against the windows of some inputs.

    Parameters
    ----------
    window, margin : length of a window, and of what is around it on each side.
    windows : how many of each input.
    samples : draws of each window.
    """

    def __init__(self, window: int, margin: int, windows: int, samples: int, seed: int) -> None:
        if min(window, margin, windows) < 1 or samples < 2:
            raise SettingError(
                f"window={window}, margin={margin}, windows={windows}, samples={samples}: expected "
                "at least 1 of each, and 2 samples"
            )
        self.window, self.margin = window, margin
        self.windows, self.samples, self.seed = windows, samples, seed

    def run(self, sampler: Sampler, inputs: Iterable[Pixels], valid: ValidRange | None) -> Scores:
        """Return the scores of a sampler.

        Parameters
        ----------
        inputs : which the sampler was not fitted on.
        valid : range that values have.
        """
        samples = min(self.samples, sampler.population or self.samples)
        bits, squares, coverage, real, drawn, members = [], [], [], [], [], []
        seen: list[_Member] = []
        seconds = 0.0
        for number, one in enumerate(inputs):
            windows = sites.chosen(one, self.window, self.margin, self.windows, self.seed + number)
            sampler.check(one, windows, valid)
            started = time.perf_counter()
            draws = sampler.draw(one, windows, samples, self.seed, valid)
            seconds += time.perf_counter() - started
            truth = sites.crops(one, windows, 0)
            squares.append(float(((draws.mean(axis=1) - truth) ** 2).mean()))
            ranks = _ranks(draws, truth, np.random.default_rng((self.seed, number)))
            coverage.append([float((np.abs(ranks - 0.5) <= p / 2).mean()) for p in INTERVALS])
            if isinstance(sampler, Likely):
                each = sampler.log_density(one, windows) / np.log(2) / truth[0].size
                bits.append(float(np.minimum(each, _most_bits(valid)).mean()))
            whole = sites.crops(one, windows, self.margin)
            real.append(telling.features(_rounded(whole, valid), self.margin))
            replaced = self._replaced(whole, draws[:, 0])
            drawn.append(telling.features(_rounded(replaced, valid), self.margin))
            members += [number] * len(windows)
            seen.append(_Member(whole, draws[:, : min(samples, 5)].copy()))
        if not seen:
            raise SettingError("no inputs to hold the sampler against: expected at least one")
        area = telling.area_under_the_curve(
            np.concatenate(real), np.concatenate(drawn), np.array(members)
        )
        return Scores(
            Mean.of(np.array(bits)) if bits else None,
            _root(Mean.of(np.array(squares))),
            tuple(Mean.of(each) for each in np.array(coverage).T) if samples > 1 else None,
            Mean(*area),
            len(members) * samples / seconds,
            len(seen),
            len(members),
            samples,
            self._sheet(seen),
        )

    def _replaced(self, whole: sites.Crops, draws: WindowPixels) -> sites.Crops:
        result = whole.copy()
        result[:, :, *(slice(self.margin, -self.margin),) * (whole.ndim - 2)] = draws
        return result

    def _sheet(self, seen: "list[_Member]") -> tuple[Example, ...]:
        whole = np.concatenate([each.whole for each in seen])
        draws = np.concatenate([each.draws for each in seen])
        return tuple(
            Example(
                kind,
                whole[n],
                self._replaced(np.repeat(whole[n][None], draws.shape[1], axis=0), draws[n]),
                self.margin,
            )
            for kind, n in sites.kinds(whole).items()
        )


@dataclass(frozen=True, eq=False)
class _Member:
    """The windows of one input, and some draws of each."""

    whole: sites.Crops
    draws: Draws


def _ranks(
    draws: Draws, truth: sites.Crops, random: np.random.Generator
) -> Annotated[Floats, "window channel *size"]:
    """Return where the truth lies among the draws, from 0 to 1: uniform if both have one law."""
    # At the ends of the range clipped draws and saturated pixels are the same value: any order of
    # them is as good, so one is taken by chance, also within the gaps between draws.
    truth = truth[:, None].astype(np.float32)
    below, same = (draws < truth).sum(axis=1), (draws == truth).sum(axis=1)
    share = random.random(below.shape)
    return np.asarray((below + share * (same + 1)) / (draws.shape[1] + 1))


def _rounded(found: sites.Crops, valid: ValidRange | None) -> sites.Crops:
    """Return windows of pictures as a file would hold them; of scans, as they are."""
    # Real pixels are whole steps of 1/255, and nobody sees the difference.
    return np.round(found * _STEPS) / _STEPS if valid == (0, 1) else found


def _most_bits(valid: ValidRange | None) -> float:
    """Return the most bits a value that count: of a picture, as many as a file holds."""
    # In a white corner the density has no limit, but a file only says which step a value is in.
    return float(np.log2(_STEPS + 1)) if valid == (0, 1) else np.inf


def _root(square: Mean) -> Mean:
    root = np.sqrt(square.value)
    return Mean(float(root), float(square.error / (2 * root)) if root > 0 else 0.0)
