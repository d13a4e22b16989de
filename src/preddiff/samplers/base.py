"""Sampler: draws what could plausibly have stood in a hidden window.

To add a sampler, subclass `Sampler` in a file of its own and write one method, `draw`; everything
else has a default::

    from preddiff.samplers.base import Sampler
    from preddiff.samplers.streams import window_generator

    class Noise(Sampler):
        stands_in = "uniform noise"  # what a page says of the window

        def draw(self, inputs, windows, samples, seed, valid):
            low, high = valid or (inputs.min(), inputs.max())
            shape = (samples, len(inputs), *windows.size)
            generators = (window_generator(seed, number) for number in windows.numbers)
            draws = np.stack([random.uniform(low, high, shape) for random in generators])
            return draws.astype(np.float32)

`preddiff.explain(..., sampler=Noise())` takes an instance. To give it a name on the command line,
`--sampler noise`, write a function `from_spec(argument, context)` beside the class (`spec.py` says
what the two hold) and enter it in the table `LOADERS` of `load.py`: one line.
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows, box
from preddiff.samplers.fingerprint import fingerprint
from preddiff.types import Batch, Draws, Floats, Mask, PerWindow, Pixels

ValidRange = tuple[float, float]
"""Lowest and highest value that an input may have: (0, 1) for pictures."""

Weights = Annotated[Floats, "k channel *spatial"]
"""Weights of k sums over an input."""

Normals = tuple[Annotated[Floats, "k window"], Annotated[Floats, "k k window"]]
"""A normal per window: means and covariances of k numbers."""

LikelyNormals = tuple[Annotated[Floats, "k window"], Annotated[Floats, "k k window"], PerWindow]
"""The same, and how likely each is among those of its window, relative to the others."""


# A protocol whose methods have bodies: who inherits from it gets the defaults, and objects that
# merely look like it are accepted as well.
class Sampler(Protocol):
    """Draws from p(x_w | the rest of x); section 3.1 of the paper.

    Samplers speak input space: [0, 1] RGB for pictures, the scan's own units for volumes, a node's
    values where windows hide those.

    A subclass has to define `draw`. An object that does not inherit from this class will do as
    well if it has `population`, `group`, `paired`, `sha256`, `check` and `draw`.
    """

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind, such as "one constant value".

        Pages use it: "a 10×10 window replaced by …". Override it with a text of your own; the
        default claims nothing but the sampler's name.
        """
        return f"draws from {type(self).__name__}"

    @property
    def population(self) -> int | None:
        """Number of different draws that a window has; by default None, unlimited.

        If it is a number, draws must be without replacement: no more are asked for than there are,
        and with all of them the standard error is 0. A sampler whose draws are all the same has 1.
        """
        return None

    @property
    def group(self) -> int:
        """Number of consecutive draws that depend on each other; by default 1, each independent.

        2 for antithetic pairs, draws 2i and 2i + 1. Standard errors are taken over groups.
        """
        return 1

    def paired(self) -> "Sampler":
        """Return this sampler with antithetic pairs of draws; itself if it cannot make them."""
        return self

    @property
    def sha256(self) -> str:
        """Fingerprint of everything that the draws depend on, besides input and seed.

        An interrupted analysis is only resumed if its sampler has the same fingerprint. The default
        covers the class's name and all attributes of the instance, which must be numbers, strings
        or arrays. Override it if there are others, or if attributes change while drawing. It does
        not notice a change in the class's code.

        Raises
        ------
        SamplerError
            If an attribute is something else.
        """
        cls = type(self)
        try:
            return fingerprint(**{**vars(self), "class": f"{cls.__module__}.{cls.__qualname__}"})
        except TypeError as error:
            raise SamplerError(
                f"{cls.__name__}: {error}; define sha256, a string that differs if the draws do"
            ) from None

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if this input and these windows cannot be drawn for.

        Called once, before the analysis starts; by default everything can be drawn for.
        """
        del inputs, windows, valid  # a body, so that type checkers do not take it for abstract

    @abstractmethod
    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return what could have stood in each window.

        Parameters
        ----------
        inputs : the input, (channel, *spatial).
        windows : where to draw.
        samples : number of draws per window, at most `population`.
        seed : of the whole analysis. Draw s of a window must depend on the seed, the window's
            position and s alone: not on which other windows are asked for, nor on `samples`.
            `streams.window_generator(seed, number)` with a number of `windows.numbers` sees to it.
        valid : range that values of the input have, (0, 1) for pictures; None if unlimited.

        Returns
        -------
        (window, draw, channel, *size), float32
        """

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with all of these windows hidden together, several times.

        By default each window has the draw that it would have alone. Override it where a draw
        depends on what is visible, as what other windows hide then is not.

        Parameters
        ----------
        windows : those that are hidden.
        samples : how often, at most `population`.
        seed : of this set of windows.

        Returns
        -------
        (draw, channel, *spatial), float32
        """
        result = np.repeat(inputs[None], samples, axis=0)
        put(result, windows, self.draw(inputs, windows, samples, seed, valid))
        return result

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with places of any shape hidden together, several times.

        By default they are filled as windows of one pixel. Override it where a draw depends on what
        is visible, and windows of one pixel are too small to be drawn one after the other.

        Parameters
        ----------
        hidden : (*spatial), true where the input is hidden.
        samples, seed, valid : as of `fill`. With the same seed, a place whose surroundings are
            visible has the same draws, whatever else is hidden.

        Returns
        -------
        (draw, channel, *spatial), float32
        """
        return self.fill(inputs, Windows.of_pixels(hidden), samples, seed, valid)

    def is_clipped(self, valid: ValidRange | None) -> bool:  # noqa: ARG002
        """Return whether draws are clipped to the valid range; by default they are not.

        Only asked of a sampler that has `project`, whose normals do not know of clipping.
        """
        return False

    def summary(self) -> dict[str, str]:
        """Return what is worth showing of the sampler, name by name."""
        return {"kind": type(self).__name__, "sha256": self.sha256}

    def save(self, path: str | Path) -> None:
        """Write the sampler to a file. `files.Stored` is a base class that can.

        Raises
        ------
        SamplerError
            If the sampler cannot be saved, as by default.
        """
        raise SamplerError(
            f"{path}: {type(self).__name__} cannot be saved; derive it from files.Stored as well"
        )


@runtime_checkable
class Projected(Protocol):
    """A sampler for which the distribution of weighted sums over its draws is known.

    For linear models that is all that is needed: no draws are taken (`engines/closed_form`).
    """

    def is_clipped(self, valid: ValidRange | None) -> bool:
        """Return whether draws are clipped to the valid range, which `project` does not know."""

    def project(
        self, weights: Weights, inputs: Pixels, windows: Windows
    ) -> Iterator[Normals | LikelyNormals]:
        """Yield by how much weighted sums over the input change when a window is drawn anew.

        Parameters
        ----------
        weights : (k, channel, *spatial), for k sums.
        inputs : (channel, *spatial).

        Yields
        ------
        Normals, of which any is as likely as another unless they say how likely they are; windows
        without weight have exactly 0.
        """


@runtime_checkable
class Likely(Protocol):
    """A sampler that knows how likely it is that it draws something.

    `preddiff sampler check` holds it against real windows by that.
    """

    def log_density(self, inputs: Pixels, windows: Windows) -> PerWindow:
        """Return the natural logarithm of the density of what stands in each window.

        Given what is around it, before anything is clipped.
        """


def stands_in(sampler: Sampler) -> str:
    """Return what a window is hidden behind, in words; also for objects that do not say it."""
    phrase = str(getattr(sampler, "stands_in", f"draws from {type(sampler).__name__}"))
    group = reference(sampler)
    return f"{phrase}, as in scans of {group}" if group else phrase


def reference(sampler: Sampler) -> str:
    """Return the group that a sampler's scans are of, such as "group=control"; "" for all."""
    return str(getattr(sampler, "reference", ""))


def fill(
    sampler: Sampler,
    inputs: Pixels,
    windows: Windows,
    samples: int,
    seed: int,
    valid: ValidRange | None,
) -> Batch:
    """Return what `Sampler.fill` does; also of objects that do not have it."""
    own = getattr(sampler, "fill", None)
    if own is None:
        return Sampler.fill(sampler, inputs, windows, samples, seed, valid)
    filled: Batch = own(inputs, windows, samples, seed, valid)
    return filled


def hide(
    sampler: Sampler,
    inputs: Pixels,
    hidden: Mask,
    samples: int,
    seed: int,
    valid: ValidRange | None,
) -> Batch:
    """Return what `Sampler.hide` does; also of objects that do not have it."""
    own = getattr(sampler, "hide", None)
    if own is None:
        return fill(sampler, inputs, Windows.of_pixels(hidden), samples, seed, valid)
    filled: Batch = own(inputs, hidden, samples, seed, valid)
    return filled


def put(copies: Batch, windows: Windows, draws: Draws) -> None:
    """Put draws (window, n, channel, *size) into the windows of n copies of an input."""
    for start, draw in zip(windows.starts, draws, strict=True):
        copies[:, :, *box(start, windows.size)] = draw


def blanked(inputs: Pixels, hidden: Mask) -> Pixels:
    """Return a copy whose hidden places have the mean of each channel's visible values."""
    visible = ~hidden if not hidden.all() else hidden
    means = inputs[:, visible].mean(axis=1).reshape(-1, *(1,) * hidden.ndim)
    return np.where(hidden, means, inputs).astype(np.float32)


def replaced(inputs: Pixels, windows: Windows, others: Batch, samples: int) -> Batch:
    """Return copies (draw, channel, *spatial) of an input whose windows have other inputs' values.

    Parameters
    ----------
    others : one for each draw, or one for all; values or whole inputs.
    """
    copies: Batch = np.where(windows.covered, others, inputs)
    return copies if len(copies) == samples else np.repeat(copies, samples, axis=0)


def is_within(values: Annotated[NDArray[np.floating], "..."], valid: ValidRange) -> bool:
    """Return whether values lie in a range, but for rounding."""
    # Resizing, and pixels that went from 8 bits to float32 and back, leave the range by a little.
    rounding = 1e-5 * (valid[1] - valid[0])
    return bool(values.min() >= valid[0] - rounding and values.max() <= valid[1] + rounding)
