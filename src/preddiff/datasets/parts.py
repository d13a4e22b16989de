"""Figures made of parts: pictures of which it is known what each part is worth to a network.

The idea of FunnyBirds (Hesse, Schaub-Meyer & Roth, FunnyBirds: a synthetic vision dataset for a
part-based analysis of explainable AI methods, ICCV 2023): the class of a figure is told by its
parts, and the same picture can be drawn again without one of them. By how much the network's answer
falls is what the part is worth, and no imputer has to guess what stands behind it.

A figure has a body, which is always there, and five parts, each in one of three variants, on a
background of one colour with noise. Every class is a combination of variants; any two classes
differ in two parts or more. Some training pictures lack parts, so that a picture without one is
nothing new to a network.
"""

from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError
from preddiff.types import Batch, Integers, Mask, Pixels

SIDE = 32
"""Length of a picture in pixels."""

CLASSES = 8

Missing = Annotated[NDArray[np.bool_], "picture part"]
"""True where a picture lacks a part."""

_OFFSETS = ((-10, 3), (-4, 9), (-1, 0), (-1, -10), (8, 1))  # (y, x) from the body's centre
_COLOURS = np.array([[0.9, 0.2, 0.2], [0.9, 0.8, 0.1], [0.2, 0.3, 0.9]])  # of the variants
_BODY = np.array([0.45, 0.4, 0.35])
_JITTER = 2  # pixels by which figures are moved, at most
_NOISE = 0.05
_LACKING = 0.3  # share of the parts that training pictures lack

PARTS = len(_OFFSETS)
"""Parts of a figure."""

# The variant of each part in each class. The last is the sum of the others modulo 3, so that no two
# classes differ in one part alone. Of the 81 words, every eleventh: all parts tell classes apart.
_WORDS = [(*word, sum(word) % 3) for word in product(range(3), repeat=PARTS - 1)]
_VARIANTS = np.array(_WORDS[::11][:CLASSES])


@dataclass(frozen=True, eq=False, repr=False)
class Figures:
    """Pictures of figures, their classes, and the same without a part.

    Attributes
    ----------
    pictures : (picture, 3, y, x) in [0, 1].
    labels : (picture,), from 0; they take turns.
    missing : (picture, part), which parts a picture lacks.
    seed : all randomness follows from it.
    """

    pictures: Batch
    labels: Annotated[Integers, "picture"]
    missing: Missing
    seed: int

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pictures)

    def where(self, number: int, part: int) -> Mask:
        """Return the pixels (y, x) that a part of a picture takes."""
        centre, *_ = _scene(self.seed, number)
        return _shape(int(_VARIANTS[self.labels[number], part]), centre, _OFFSETS[part])

    def without(self, number: int, part: int) -> Pixels:
        """Return a picture without one more part."""
        missing = self.missing[number].copy()
        missing[part] = True
        return _drawn(self.seed, number, int(self.labels[number]), missing)


def figures(count: int = 10_000, complete: int = 0, *, seed: int = 0) -> Figures:
    """Draw a set of pictures.

    Parameters
    ----------
    count : number of pictures.
    complete : number of the last pictures, of which none lacks a part.
    seed : all randomness follows from it.

    Raises
    ------
    SettingError
        If a setting makes no sense.
    """
    if not 0 <= complete <= count or count < 1 or seed < 0:
        raise SettingError(
            f"count={count}, complete={complete}, seed={seed}: expected 1 picture or more, no more "
            "complete ones than that, and a seed of 0 or more"
        )
    labels = np.arange(count) % CLASSES
    missing = np.random.default_rng([seed]).random((count, PARTS)) < _LACKING
    missing[count - complete :] = False
    pictures = [_drawn(seed, n, int(labels[n]), missing[n]) for n in range(count)]
    return Figures(np.stack(pictures), labels, missing, seed)


def _scene(
    seed: int, number: int
) -> tuple[tuple[int, int], Annotated[NDArray[np.float64], "channel"], np.random.Generator]:
    """Return the centre, the background's colour, and what the noise is drawn by."""
    random = np.random.default_rng([seed, number, SIDE])
    y, x = random.integers(-_JITTER, _JITTER + 1, 2) + SIDE // 2
    return (int(y), int(x)), random.uniform(0.3, 0.9, 3), random


def _drawn(
    seed: int, number: int, label: int, missing: Annotated[NDArray[np.bool_], "part"]
) -> Pixels:
    centre, background, random = _scene(seed, number)
    picture = np.repeat(background[:, None], SIDE * SIDE, axis=1).reshape(3, SIDE, SIDE)
    y, x = np.ogrid[:SIDE, :SIDE]
    body = ((y - centre[0]) / 6) ** 2 + ((x - centre[1]) / 9) ** 2 <= 1
    picture[:, body] = _BODY[:, None]
    for part, variant in enumerate(_VARIANTS[label]):
        if not missing[part]:
            shape = _shape(int(variant), centre, _OFFSETS[part])
            picture[:, shape] = _COLOURS[variant][:, None]
    picture += _NOISE * random.standard_normal(picture.shape)
    return np.asarray(picture.clip(0, 1), dtype=np.float32)


def _shape(variant: int, centre: tuple[int, int], offset: tuple[int, int]) -> Mask:
    """Return the pixels of a triangle, a square or a diamond: 25 of each.

    Parts of different sizes would be ranked by these where a map is positive everywhere.
    """
    y, x = np.ogrid[:SIDE, :SIDE]
    down, right = y - centre[0] - offset[0], abs(x - centre[1] - offset[1])
    shapes = (
        (right <= down + 2) & (down <= 2),
        np.maximum(abs(down), right) <= 2,
        abs(down) + right <= 3,
    )
    return shapes[variant]
