"""OneChannel: windows of one channel are hidden, and the others stay: which sequence mattered?"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import (
    LikelyNormals,
    Normals,
    Sampler,
    ValidRange,
    Weights,
    fill,
    hide,
    stands_in,
)
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.surrounded import Surrounded
from preddiff.samplers.marginal import Marginal
from preddiff.samplers.spec import EVERY_CHANNEL, SpecContext
from preddiff.samplers.turned import Turned
from preddiff.types import Batch, Draws, Mask, Pixels


class OneChannel(Sampler):
    """Hides windows of one channel, whatever another sampler puts there.

    A sampler of one channel sees no other, and so does not draw given the others. A
    ConditionalGaussian of all channels does: its draws are of one channel's window, given the patch
    around it and what the other channels have there, too. Of all others' draws (constant, marginal,
    blurred), in which channels do not know of each other, this channel's are taken.

    Parameters
    ----------
    sampler : of this channel, or of all.
    channel : its number, from 0.
    name : of the channel, for texts.

    Raises
    ------
    SamplerError
        If the sampler draws all channels together, and cannot draw one given the others.
    """

    def __init__(self, sampler: Sampler, channel: int, name: str | None = None) -> None:
        own = sampler.sampler if isinstance(sampler, Turned) else sampler
        self._inner = sampler
        self.joint = isinstance(sampler, ConditionalGaussian) and _channels(own) != 1
        if isinstance(own, Surrounded) and _channels(own) != 1 and not self.joint:
            raise SamplerError(
                f"{type(own).__name__} draws all channels of a window together: for one channel "
                "given the others take a ConditionalGaussian, constant, marginal or blurred"
            )
        self.sampler = sampler
        self.channel = channel
        self.name = str(channel) if name is None else name
        self.alone = _channels(own) == 1
        if isinstance(sampler, ConditionalGaussian) and self.joint:
            self._inner = sampler.over_channels()

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        return f"in channel {self.name} alone, {stands_in(self.sampler)}"

    @property
    def spec_text(self) -> str:
        """The sampler as results call it."""
        return f"channel:{self.name}:{type(self.sampler).__name__}"

    @property
    def population(self) -> int | None:
        """Number of different draws that a window has."""
        return self.sampler.population

    @property
    def group(self) -> int:
        """Number of consecutive draws that depend on each other."""
        return self.sampler.group

    def paired(self) -> "OneChannel":
        """Return this sampler with antithetic pairs of draws, where the other can make them."""
        return OneChannel(self.sampler.paired(), self.channel, self.name)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the other sampler, and of the channel."""
        return fingerprint(sampler=self.sampler.sha256, channel=self.channel)

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:
        """Raise a SamplerError if there is no such channel, or it cannot be drawn."""
        if not 0 <= self.channel < len(inputs):
            raise SamplerError(
                f"channel {self.name}: the input has {len(inputs)} channels, 0 to {len(inputs) - 1}"
            )
        self._inner.check(self._seen(inputs), self._placed(windows, inputs), valid)

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return draws of one channel, and what the others have."""
        placed = self._placed(windows, inputs)
        found = self._inner.draw(self._seen(inputs), placed, samples, seed, valid)
        spatial = tuple(range(1, inputs.ndim))
        views = np.lib.stride_tricks.sliding_window_view(inputs, windows.size, axis=spatial)
        own = np.moveaxis(views, 0, len(spatial))[tuple(windows.starts.T)]  # (window, channel, ...)
        draws = np.repeat(own[:, None], samples, axis=1).astype(np.float32)
        draws[:, :, self.channel] = found[:, :, 0, 0] if self.joint else found[:, :, self._at]
        return draws

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with one channel of these windows hidden together."""
        placed = self._placed(windows, inputs)
        filled = fill(self._inner, self._seen(inputs), placed, samples, seed, valid)
        return self._back(inputs, filled)

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with one channel of places of any shape hidden."""
        if self.joint:
            hidden = np.stack([hidden & (n == self.channel) for n in range(len(inputs))])
        filled = hide(self._inner, self._seen(inputs), hidden, samples, seed, valid)
        return self._back(inputs, filled)

    def is_clipped(self, valid: ValidRange | None) -> bool:
        """Return whether draws are clipped to the valid range."""
        return self.sampler.is_clipped(valid)

    def project(
        self, weights: Weights, inputs: Pixels, windows: Windows
    ) -> Iterator[Normals | LikelyNormals]:
        """Yield the other sampler's normals of sums over one channel."""
        own = np.zeros_like(weights)
        own[:, self.channel] = weights[:, self.channel]
        seen = own[:, None] if self.joint else (own[:, self._own] if self.alone else own)
        placed = self._placed(windows, inputs)
        yield from self._inner.project(seen, self._seen(inputs), placed)  # type: ignore[attr-defined]

    @property
    def _own(self) -> slice:
        return slice(self.channel, self.channel + 1)

    @property
    def _at(self) -> int:
        """Where the channel stands in the other sampler's draws."""
        return 0 if self.alone else self.channel

    def _seen(self, inputs: Pixels) -> Pixels:
        """Return the input as the other sampler sees it."""
        if self.joint:
            return inputs[None]
        return np.ascontiguousarray(inputs[self._own]) if self.alone else inputs

    def _placed(self, windows: Windows, inputs: Pixels) -> Windows:
        """Return the windows as the other sampler sees them: in one channel, if that is an axis."""
        if not self.joint:
            return windows
        starts = np.insert(windows.starts, 0, self.channel, axis=1)
        return Windows((len(inputs), *windows.shape), (1, *windows.size), starts)

    def _back(self, inputs: Pixels, filled: Batch) -> Batch:
        result = np.repeat(inputs[None], len(filled), axis=0).astype(np.float32)
        result[:, self.channel] = filled[:, 0, self.channel] if self.joint else filled[:, self._at]
        return result


def _channels(sampler: Sampler) -> int | None:
    """Return of how many channels a sampler is; None of any number."""
    if isinstance(sampler, Marginal):
        return int(sampler.pool.shape[1])
    return sampler.shape[0] if isinstance(sampler, Surrounded) else None


def from_spec(argument: str, context: SpecContext) -> OneChannel:
    """Return the sampler of channel:NUMBER:SPEC or channel:NAME:SPEC."""
    from preddiff.samplers.load import load_by_name

    said, _, spec = argument.partition(":")
    if not said or not spec or spec.startswith("channel:"):
        raise SamplerError(
            f"channel:{argument}: expected channel:NUMBER:SPEC or channel:NAME:SPEC, such as "
            "channel:1:constant:0"
        )
    if f"channel:{argument}".startswith(EVERY_CHANNEL):
        raise SamplerError(
            "channel:each: is an explanation of each channel; ask preddiff.compare, or name one"
        )
    number = _number(said, context)
    # Files and folders of scans hold one channel each.
    of_one = len(context.shape) == 4 and not context.hidden
    inner = replace(context, shape=(1, *context.shape[1:])) if of_one else context
    name = said if said.isdecimal() else context.channels[number]
    return OneChannel(load_by_name(spec, inner), number, name)


def _number(said: str, context: SpecContext) -> int:
    if said in context.channels:
        return context.channels.index(said)
    found = [n for n, name in enumerate(context.channels) if name.casefold() == said.casefold()]
    if len(found) == 1:
        return found[0]
    if not said.isdecimal():
        names = ", ".join(context.channels) or f"0 to {context.shape[0] - 1}"
        raise SamplerError(f"channel {said!r}: the input has no such channel; expected {names}")
    return int(said)
