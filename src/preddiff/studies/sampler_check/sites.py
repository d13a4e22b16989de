"""Sites: windows of an input that a sampler is held against, and what kind of place each is."""

from typing import Annotated

import numpy as np

from preddiff.errors import SettingError
from preddiff.method.windows import Windows, box
from preddiff.types import Floats, PerWindow, Pixels

Crops = Annotated[Floats, "window channel *size"]
"""Windows with the margin around them."""

_FLAT = 1e-3  # of an input's spread: the empty space around a head has no more


def chosen(inputs: Pixels, window: int, margin: int, count: int, seed: int) -> Windows:
    """Return windows anywhere in an input, with the margin inside it, that are not empty space.

    Raises
    ------
    SettingError
        If the input is too small for one.
    """
    shape = inputs.shape[1:]
    if min(shape) < window + 2 * margin:
        raise SettingError(
            f"an input of {'×'.join(map(str, shape))} has no room for a window of {window} with a "
            f"margin of {margin}: choose smaller ones, or larger inputs"
        )
    random = np.random.default_rng(seed)
    limits = np.array(shape) - window - margin + 1
    # Most of a scan is air, which any sampler foretells; of pictures, every place counts.
    least = _FLAT * float(inputs.std()) if len(shape) == 3 else -1.0
    starts: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for start in random.integers(margin, limits, size=(20 * count, len(shape))):
        if inputs[:, *box(start, (window,) * len(shape))].std() > least:
            starts.append(start)
        if len(starts) == count:
            break
    if not starts:
        raise SettingError("every window of an input is flat: expected one with something in it")
    return Windows(shape, (window,) * len(shape), np.array(starts))


def crops(inputs: Pixels, windows: Windows, margin: int) -> Crops:
    """Return windows with the margin around them."""
    size = tuple(k + 2 * margin for k in windows.size)
    starts = windows.starts - margin
    return np.stack([inputs[:, *box(start, size)] for start in starts]).astype(np.float64)


def roughness(found: Crops) -> tuple[PerWindow, PerWindow]:
    """Return how much values change in each window, and how much of that leads one way.

    The second is 1 for a straight edge and 0 where changes lead every way alike: the coherence of
    the structure tensor (Bigün & Granlund 1987).
    """
    axes = tuple(range(1, found.ndim - 1))
    slopes = np.stack(np.gradient(found.mean(axis=1), axis=axes), axis=1)
    slopes = slopes.reshape(*slopes.shape[:2], -1)
    tensor = np.einsum("nap,nbp->nab", slopes, slopes) / slopes.shape[-1]
    values = np.linalg.eigvalsh(tensor)
    total = values.sum(axis=1)
    return total, (values[:, -1] - values[:, :-1].mean(axis=1)) / np.maximum(total, 1e-12)


def kinds(found: Crops) -> dict[str, int]:
    """Return the number of a typical smooth, edged and textured place."""
    energy, coherence = roughness(found)
    order = np.argsort(energy)
    lively = order[len(order) // 2 :]
    return {
        "smooth": int(order[len(order) // 10]),
        "edged": int(lively[np.argmax(coherence[lively])]),
        "textured": int(lively[np.argmin(coherence[lively])]),
    }
