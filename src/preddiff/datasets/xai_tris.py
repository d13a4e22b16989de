"""XAI-TRIS: small pictures of two classes, in which the pixels that tell them apart are known.

Clark, Wilming & Haufe, XAI-TRIS: non-linear image benchmarks to quantify false positive post-hoc
attribution of feature importance, Machine Learning 113, 2024. Class 0 shows a tetromino T, class 1
an L, faint among noise. With S the tetrominoes of all pictures and B their noise, both divided by
the Frobenius norm of the whole set, pictures are

    α S + (1 - α) B               linear, rigid, xor
    (1 - α S) / ‖1 - α S‖ · B     multiplicative, by pixel

and then divided by the largest magnitude in the set. From [-1, 1] they are moved to [0, 1], as
pictures are elsewhere in this package, so that 0.5 is what the paper calls 0.

- linear, multiplicative: T and L have places of their own.
- rigid: one tetromino anywhere, turned by a multiple of 90°.
- xor: both at their places; class 0 if they have the same sign, class 1 if not.

The noise is white, or correlated by a Gaussian filter. α is the authors' for each case: just enough
for their networks to be right on 80 % and more.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.errors import SettingError
from preddiff.types import Batch, Floats, Integers

SCENARIOS = ("linear", "multiplicative", "rigid", "xor")
BACKGROUNDS = ("white", "correlated")
SIDES = (8, 64)

Signals = Annotated[Floats, "picture y x"]
"""The tetrominoes of each picture, without noise."""

TrueMasks = Annotated[NDArray[np.bool_], "picture y x"]
"""True at the pixels that tell the classes apart, for each picture."""

# α by side, scenario and background, from the settings that the authors published with their code.
_SIGNAL = {
    (8, "linear"): (0.18, 0.0125),
    (8, "multiplicative"): (0.7, 0.1),
    (8, "rigid"): (0.65, 0.2),
    (8, "xor"): (0.35, 0.15),
    (64, "linear"): (0.03, 0.02),
    (64, "multiplicative"): (0.2, 0.65),
    (64, "rigid"): (0.575, 0.375),
    (64, "xor"): (0.35, 0.15),
}
_SMOOTHING = {8: 3.0, 64: 10.0}  # pixels, standard deviation of the filter of correlated noise
_SOFTENING = 1.5  # the same, of the filter that makes enlarged tetrominoes soft
_VISIBLE = 0.05  # value from which on a soft tetromino counts

_T = np.array([[1, 0], [1, 1], [1, 0]])
_L = np.array([[1, 0], [1, 0], [1, 1]])
_PLACES = ((1, 1), (4, 5))  # (y, x) of the upper left corners of T and L, at side 8
_SIGNS = ((1, 1), (1, -1), (-1, -1), (-1, 1))  # of T and L in xor: classes 0, 1, 0, 1


@dataclass(frozen=True, eq=False, repr=False)
class Tetrominoes:
    """Pictures, their classes, and the pixels that tell these apart.

    Attributes
    ----------
    pictures : (picture, 1, y, x) in [0, 1].
    labels : (picture,), 0 or 1; they alternate, so any even number of pictures that follow each
        other is balanced.
    truth : (picture, y, x). The places of both tetrominoes, as the absence of one tells as much as
        the presence of the other; for rigid, where both can be anywhere, the picture's own.
    """

    pictures: Batch
    labels: Annotated[Integers, "picture"]
    truth: TrueMasks

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pictures)


def xai_tris(
    scenario: str, background: str, count: int = 10_000, *, side: int = 8, seed: int = 0
) -> Tetrominoes:
    """Draw a set of pictures.

    Parameters
    ----------
    scenario : one of `SCENARIOS`.
    background : one of `BACKGROUNDS`.
    count : number of pictures; each changes a little with the number of others, as all are divided
        by norms of the whole set.
    side : of a picture in pixels, one of `SIDES`.
    seed : all randomness follows from it.

    Raises
    ------
    SettingError
        If a setting makes no sense.
    """
    for name, value, known in (
        ("scenario", scenario, SCENARIOS),
        ("background", background, BACKGROUNDS),
        ("side", side, SIDES),
    ):
        if value not in known:
            expected = ", ".join(map(str, known))
            raise SettingError(f"{name}={value!r}: expected one of {expected}")
    if count < 1 or seed < 0:
        raise SettingError(f"count={count}, seed={seed}: expected at least 1, and at least 0")
    generator = np.random.default_rng(
        [seed, side, SCENARIOS.index(scenario), BACKGROUNDS.index(background)]
    )
    labels = np.arange(count) % 2
    signal = _signal(scenario, count, side, generator)
    noise = generator.standard_normal((count, side, side))
    if background == "correlated":
        sigma = _SMOOTHING[side]
        noise = np.asarray(ndimage.gaussian_filter(noise, (0, sigma, sigma)))
    alpha = _SIGNAL[side, scenario][BACKGROUNDS.index(background)]
    if scenario == "multiplicative":
        values = _normalised(1 - alpha * signal) * _normalised(noise)
    else:
        values = alpha * _normalised(signal) + (1 - alpha) * _normalised(noise)
    values /= np.abs(values).max()
    visible = np.abs(signal) >= _VISIBLE
    if scenario != "rigid":
        visible[:] = visible[:2].any(axis=0)  # the first two pictures show both places
    return Tetrominoes(((values + 1) / 2).astype(np.float32)[:, None], labels, visible)


def _normalised(values: Signals) -> Signals:
    """Return all pictures, divided by the Frobenius norm of the whole set."""
    return np.asarray(values / np.linalg.norm(values))


def _signal(scenario: str, count: int, side: int, generator: np.random.Generator) -> Signals:
    """Return the tetrominoes; every other picture is of class 1."""
    scale = side // 8 // (2 if scenario == "rigid" and side > 8 else 1)
    shapes = [np.kron(each, np.ones((scale, scale))) for each in (_T, _L)]
    if scenario == "rigid":
        signal = np.stack([_anywhere(shapes[n % 2], side, generator) for n in range(count)])
    else:
        both = np.stack([_placed(shape, n, side) for n, shape in enumerate(shapes)])
        if scenario == "xor":
            signs = np.array(_SIGNS)[np.arange(count) % len(_SIGNS)]
            signal = np.tensordot(signs, both, axes=1)
        else:
            signal = both[np.arange(count) % 2]
    if scale > 1:
        signal = ndimage.gaussian_filter(signal, (0, _SOFTENING, _SOFTENING))
    return np.asarray(signal, dtype=np.float64)


def _placed(shape: Annotated[Floats, "_y _x"], number: int, side: int) -> Annotated[Floats, "y x"]:
    """Return a picture of T (0) or L (1) at its own place."""
    y, x = (each * side // 8 for each in _PLACES[number])
    values = np.zeros((side, side))
    values[y : y + shape.shape[0], x : x + shape.shape[1]] = shape
    return values


def _anywhere(
    shape: Annotated[Floats, "_y _x"], side: int, generator: np.random.Generator
) -> Annotated[Floats, "y x"]:
    """Return a picture of a tetromino, turned and moved at random."""
    turned = np.rot90(shape, int(generator.integers(4)))
    y, x = (generator.integers(side - n + 1) for n in turned.shape)
    values = np.zeros((side, side))
    values[y : y + turned.shape[0], x : x + turned.shape[1]] = turned
    return values
