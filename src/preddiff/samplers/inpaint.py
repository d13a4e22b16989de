"""Inpaint: a function that knows pictures paints what is hidden."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows, box
from preddiff.samplers import opencv
from preddiff.samplers.base import Sampler, ValidRange, blanked, is_within
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.spec import SpecContext
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Draws, Mask, Pixels

Painted = Annotated[NDArray[np.floating], "number channel *spatial"]

Painter = Callable[[Pixels, Mask, int, np.random.Generator], Painted]
"""Makes pictures of a picture, (y, x) that is hidden, how many, and random numbers."""


class Inpaint(Sampler):
    """Draws what a function paints where a picture is hidden, such as a diffusion model.

    Parameters
    ----------
    function : `function(picture, hidden, number, generator)` returns that many pictures (number,
        channel, *spatial) of a picture (channel, *spatial) whose places `hidden` (*spatial) have
        the mean colour of what is visible. Of its result only these places are used, so nothing
        else has to stay. All that is random must come from the generator.
    number : how many pictures it makes at once: 1, or as many as a graphics card takes. The draws
        depend on it, unless each picture has the same random numbers whatever their number.
    population : of different draws; 1 if the function paints always the same, None if it does not.
    name : what tells this function from others, e.g. with the version of its weights: interrupted
        work is only resumed with the same. By default that of the function, or of its class.

    Raises
    ------
    SamplerError
        If there is no function, or a number is below 1.
    """

    stands_in = "what an in-painter puts there, given the picture around it"
    population: int | None = None

    def __init__(
        self,
        function: Painter,
        *,
        number: int = 1,
        population: int | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(function):
            raise SamplerError(
                f"in-painter {function!r}: expected a function of picture, hidden places, number "
                "and generator that returns pictures"
            )
        if number < 1 or (population is not None and population < 1):
            raise SamplerError(
                f"in-painter with number={number}, population={population}: expected at least 1"
            )
        self.function = function
        self.number = int(number)
        self.population = population
        self.name = _name(function) if name is None else name

    @property
    def sha256(self) -> str:
        """Fingerprint of the name: not even the function's code says what its weights are."""
        return fingerprint(kind="inpaint", name=self.name, number=self.number)

    def summary(self) -> dict[str, str]:
        """Return what is worth showing of the sampler, name by name."""
        return {"kind": "in-painter", "name": self.name, "sha256": self.sha256}

    def check(
        self,
        inputs: Pixels,
        windows: Windows,  # noqa: ARG002
        valid: ValidRange | None,
    ) -> None:
        """Raise a SamplerError if values lie outside of the range that draws are clipped to."""
        if valid is not None and not is_within(inputs, valid):
            raise SamplerError(
                f"values from {inputs.min():.4g} to {inputs.max():.4g}, but in-painting is clipped "
                f"to [{valid[0]:g}, {valid[1]:g}]: rescale the input"
            )

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return what the function paints into each window, given all of the picture around it."""
        draws = np.empty((len(windows), samples, len(inputs), *windows.size), dtype=np.float32)
        for draw, number, start in zip(draws, windows.numbers, windows.starts, strict=True):
            part = box(start, windows.size)
            hidden = np.zeros(windows.shape, dtype=bool)
            hidden[part] = True
            draw[:] = self._painted(inputs, hidden, samples, seed, int(number), valid)[:, :, *part]
        return draws

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with what the function paints into all windows together."""
        return self.hide(inputs, windows.covered, samples, seed, valid)

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with what the function paints into places of any shape."""
        return self._painted(inputs, hidden, samples, seed, 0, valid)

    def _painted(
        self,
        inputs: Pixels,
        hidden: Mask,
        samples: int,
        seed: int,
        number: int,
        valid: ValidRange | None,
    ) -> Batch:
        """Return pictures whose hidden places are painted, by a stream of random numbers."""
        blank = blanked(inputs, hidden)
        blank.setflags(write=False)  # functions that paint in place are told so
        parts: list[Batch] = []
        # Always as many at once: a draw that came with two others need not be the same as when it
        # comes with five.
        for block in range(-(-samples // self.number)):
            random = window_generator(seed, number, block)
            found = np.asarray(self.function(blank, hidden.copy(), self.number, random))
            expected = (self.number, *inputs.shape)
            if found.shape != expected:
                raise SamplerError(
                    f"in-painter {self.name}: returned an array of shape {found.shape}, expected "
                    f"{expected}: number, channel and the picture's own axes"
                )
            parts.append(np.where(hidden, found, inputs).astype(np.float32))
        painted = np.concatenate(parts)[:samples]
        if not np.isfinite(painted[:, :, hidden]).all():
            raise SamplerError(
                f"in-painter {self.name}: painted values that are NaN or infinite; return finite "
                "values wherever the picture is hidden"
            )
        if valid is not None:
            np.copyto(painted, painted.clip(*valid), where=hidden)
        return painted


def from_spec(argument: str, context: SpecContext) -> Inpaint:
    """Return the sampler of inpaint:telea or inpaint:ns."""
    if argument not in opencv.PAINTERS:
        spec = f"inpaint:{argument}" if argument else "inpaint"
        raise SamplerError(
            f"{spec}: expected {' or '.join(f'inpaint:{name}' for name in opencv.PAINTERS)}; "
            "from Python, samplers.Inpaint(function) takes any other"
        )
    if context.hidden or len(context.shape) != 3:
        raise SamplerError(
            f"inpaint:{argument}: paints pictures only; take marginal:FOLDER or conditional:FILE"
        )

    def paint(
        picture: Pixels, hidden: Mask, number: int, generator: np.random.Generator
    ) -> Painted:
        del generator  # nothing is random
        return np.repeat(opencv.inpainted(picture, hidden, argument)[None], number, axis=0)

    return Inpaint(paint, population=1, name=f"OpenCV {argument}")


def _name(function: Painter) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"
