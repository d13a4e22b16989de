"""What a sampler is: it draws what could plausibly have stood in a window."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preddiff.errors import SamplerError
from preddiff.media.atomic import atomic_write
from preddiff.method.windows import Windows

Range = tuple[float, float]
Normals = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A normal per window: means (k, window) and covariances (k, k, window) of k numbers."""


class Sampler(Protocol):
    """Draws for p(x_w | the rest of x); section 3.1 of the paper.

    Samplers speak input space: [0, 1] RGB for pictures, the scan's own units for volumes.
    """

    @property
    def population(self) -> int | None:
        """How many different draws a window has; None when they are unlimited."""

    @property
    def group(self) -> int:
        """Draws that depend on each other: 2 for antithetic pairs (draws 2i and 2i + 1), else 1."""

    def paired(self) -> "Sampler":
        """The same sampler with antithetic pairs of draws, if it can make them."""

    @property
    def sha256(self) -> str:
        """Fingerprint of everything that the draws depend on, besides input and seed."""

    def check(self, inputs: NDArray[np.float32], windows: Windows, valid: Range | None) -> None:
        """Raise a SamplerError if this input and these windows cannot be drawn for."""

    def draw(
        self,
        inputs: NDArray[np.float32],
        windows: Windows,
        samples: int,
        seed: int,
        valid: Range | None,
    ) -> NDArray[np.float32]:
        """What could have stood in each window.

        Parameters
        ----------
        inputs : the input, (channel, *spatial).
        windows : where to draw.
        samples : number of draws per window, at most `population`.
        seed : of the whole analysis. Draw s of a window depends on seed, the window's place and
            s alone: not on which other windows are asked for, nor on `samples`.
        valid : range that values of the input have, (0, 1) for pictures; None if unlimited.

        Returns
        -------
        (window, draw, channel, *size)
        """

    def save(self, path: str | Path) -> None:
        """Write the sampler to a file that its class's `load` reads."""


@runtime_checkable
class Projected(Protocol):
    """A sampler whose draws' weighted sums have a known law: what needs no draws."""

    def is_clipped(self, valid: Range | None) -> bool:
        """Whether draws are clipped to the valid range, which the law does not know."""

    def project(
        self, weights: NDArray[np.float64], inputs: NDArray[np.float32], windows: Windows
    ) -> Iterator[Normals]:
        """By how much weighted sums over the input change when a window is drawn anew.

        Parameters
        ----------
        weights : (k, channel, *spatial), for k sums.
        inputs : (channel, *spatial).

        Yields
        ------
        Normals, of which any is as likely as another; windows without weight have exactly 0.
        """


def generator(seed: int, number: int) -> np.random.Generator:
    """Random numbers for one window: a stream of its own for each seed and window number."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, number], dtype=np.uint64)))


def certain(weights: NDArray[np.float64], change: NDArray[np.float64], windows: Windows) -> Normals:
    """The law of weighted sums where a draw is certain: normals without spread.

    Parameters
    ----------
    change : (channel, *spatial), by which a draw differs from the input wherever its window is.
    """
    mean = windows.sums(np.sum(weights * change, axis=1))
    return mean, np.broadcast_to(0.0, (len(weights), *mean.shape))


def within(values: NDArray[np.floating], valid: Range) -> bool:
    """Whether values lie in a range, but for rounding."""
    slack = 1e-5 * (valid[1] - valid[0])
    return bool(values.min() >= valid[0] - slack and values.max() <= valid[1] + slack)


def fingerprint(**parts: ArrayLike) -> str:
    """SHA-256 over named numbers and arrays."""
    digest = hashlib.sha256()
    for name, value in sorted(parts.items()):
        array = np.ascontiguousarray(value)
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data)  # no copy: a located sampler has gigabytes
    return digest.hexdigest()


def write(path: str | Path, kind: str, arrays: Mapping[str, ArrayLike], **facts: Any) -> None:
    """One .npz file: arrays, and facts as JSON. Nothing in it needs unpickling."""
    with atomic_write(path) as written, written.open("wb") as file:
        np.savez(file, kind=np.str_(kind), facts=np.str_(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read(path: str | Path, kind: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and facts of a file made by `write`; its kind is `facts["kind"]`.

    Raises
    ------
    SamplerError
        If there is no such file, it is no sampler, or one of another kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name not in {"kind", "facts"}}
            facts = {**json.loads(str(file["facts"])), "kind": str(file["kind"])}
    except FileNotFoundError:
        raise SamplerError(
            f"{path}: no such sampler file; make one with `preddiff sampler fit`"
        ) from None
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise SamplerError(
            f"{path}: not a sampler file ({type(error).__name__}); make one with "
            "`preddiff sampler fit`"
        ) from None
    if kind is not None and facts["kind"] != kind:
        raise SamplerError(f"{path}: holds a {facts['kind']} sampler, expected a {kind} one")
    return arrays, facts
