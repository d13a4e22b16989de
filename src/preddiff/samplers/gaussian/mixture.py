"""Mixture: several Student distributions over the patch, of which its rim says which one holds.

Axis names: n window, c component.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers.base import LikelyNormals, ValidRange, Weights
from preddiff.samplers.files import Contents, Fact
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian import mixing
from preddiff.samplers.gaussian.anywhere import Anywhere
from preddiff.samplers.gaussian.axes import PatchIndices
from preddiff.samplers.gaussian.gathering import gathered
from preddiff.samplers.gaussian.partial import HiddenPart
from preddiff.samplers.gaussian.student import StudentT
from preddiff.samplers.gaussian.surrounded import blocks
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Draws, Floats, Integers, Mask, PerWindow, Pixels

# With the rest r of a patch known, component c of a mixture has the chance
#
#     π_c · p_c(r) / Σ π_b · p_b(r)
#
# and given that it is the one, the window has its conditional law (Bishop, "Pattern Recognition and
# Machine Learning", 2006, section 9.2.1). So a draw is that of a component which is drawn first.
# p_c(r) is raised to a power, so that as many values count as for the scale (`StudentT.told_by`).

_BLOCK = 2  # of random numbers: 0 is the noise of `Patchwise`, 1 the scale of `StudentT`

Chances = Annotated[Floats, "n c"]
"""How likely each component is, given what is visible around each window."""


class Mixture(Anywhere):
    """Draws the window from a mixture of normals of unknown scale, given the rest of the patch.

    Parameters
    ----------
    weights : (component,), how likely each is.
    parts : the components, of patches of one shape.
    facts : what is worth keeping about its making (number of patches, ...).

    Raises
    ------
    SamplerError
        If there is not one weight above 0 for each component, or components do not agree.
    """

    kind = "mixture"

    def __init__(self, weights: ArrayLike, parts: Sequence[StudentT], **facts: Fact) -> None:
        self.weights, self.parts, self.facts = np.asarray(weights, float), tuple(parts), facts
        if self.weights.shape != (len(self.parts),) or not (self.weights > 0).all():
            raise SamplerError(
                f"{len(self.parts)} components with weights {self.weights}: expected a number "
                "above 0 for each; fit it anew"
            )
        settings = {(part.shape, part.clip, part.pairs) for part in self.parts}
        if len(settings) != 1:
            raise SamplerError(
                f"components of {len(settings)} kinds: expected some that agree in shape, clip and "
                "pairs; fit it anew"
            )
        ((self.shape, self.clip, self.pairs),) = settings
        if not all(np.isfinite(part.log_volume) for part in self.parts):
            raise SamplerError("a component's scatter is singular; fit it anew")

    @classmethod
    def _fitted(
        cls,
        inputs: Iterable[ArrayLike],
        patch: int,
        channels: str,
        mask: Mask | None,
        *,
        clip: bool,
    ) -> Self:
        found = gathered(inputs, patch, channels, mask)
        weights, laws, _ = mixing.best(found)
        parts = [
            StudentT(mean, scatter, found.shape, freedom=freedom, clip=clip)
            for mean, scatter, freedom in laws
        ]
        return cls(weights, parts, **found.facts)

    @property
    def sha256(self) -> str:
        """Fingerprint of the components and their weights."""
        parts = ",".join(part.sha256 for part in self.parts)
        return fingerprint(kind=self.kind, weights=self.weights, parts=parts)

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
        return {
            "kind": "conditional mixture of normals of unknown scale",
            "patch": "×".join(map(str, self.shape[1:])),
            "channels": str(self.shape[0]),
            "components": str(len(self.parts)),
            "their weights": ", ".join(f"{100 * weight:.3g} %" for weight in self.weights),
            **{name: str(value) for name, value in self.facts.items()},
            "clipped": "yes" if self.clip else "no",
            "sha256": self.sha256,
        }

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws, both of one component."""
        return self._of([part.paired() for part in self.parts])

    def chances(
        self, inputs: Pixels, windows: Windows, hidden: Sequence[HiddenPart] | None = None
    ) -> Chances:
        """Return how likely each component is, given what is visible around each window.

        Parameters
        ----------
        hidden : what is hidden of each window, for each component; None hides all of it.
        """
        every: Sequence[HiddenPart | None] = hidden or [None] * len(self.parts)
        density = [
            part.log_visible(inputs, windows, one)
            for part, one in zip(self.parts, every, strict=True)
        ]
        return np.asarray(special.softmax(np.stack(density, 1) + np.log(self.weights), axis=1))

    def draw(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Draws:
        """Return draws from the conditional mixture of each window."""
        return self._drawn(inputs, windows, samples, seed, valid, None)

    def hide(
        self, inputs: Pixels, hidden: Mask, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with places of any shape drawn block by block, given what is visible."""

        def draw(copy: Pixels, board: Windows, stream: int) -> Draws:
            return self._drawn(copy, board, 1, stream, valid, each)

        each = [HiddenPart(hidden) for _ in self.parts]
        windows = blocks(self.shape[1:], hidden)
        return self._swept(inputs, hidden, windows, samples, seed, draw)

    def log_density(self, inputs: Pixels, windows: Windows) -> PerWindow:
        """Return the logarithm of the density of what stands in each window, given its patch."""
        own = np.stack([part.log_density(inputs, windows) for part in self.parts], axis=1)
        return np.asarray(special.logsumexp(own, b=self.chances(inputs, windows), axis=1))

    def project(
        self, weights: Weights, inputs: Pixels, windows: Windows
    ) -> Iterator[LikelyNormals]:
        """Yield the normals of each component, and how likely that is."""
        for part, chance in zip(self.parts, self.chances(inputs, windows).T, strict=True):
            laws = list(part.project(weights, inputs, windows))
            for mean, covariance in laws:
                yield mean, covariance, chance / len(laws)

    def contents(self) -> Contents:
        """Return the components, and the facts of their making."""
        arrays = {
            "weights": self.weights,
            "means": np.stack([part.mean for part in self.parts]),
            "scatters": np.stack([part.covariance for part in self.parts]),
            "freedoms": np.array([part.freedom for part in self.parts]),
            "shape": np.array(self.shape),
        }
        return Contents(self.kind, arrays, {"clip": self.clip, **self.facts})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts, shape = dict(contents.facts), contents.lengths("shape")
        clip = bool(facts.pop("clip"))
        means, scatters = contents.numbers("means", 2), contents.numbers("scatters", 3)
        parts = [
            StudentT(mean, scatter, shape, freedom=freedom, clip=clip)
            for mean, scatter, freedom in zip(
                means, scatters, contents.numbers("freedoms", 1), strict=True
            )
        ]
        return cls(contents.numbers("weights", 1), parts, **facts)

    def _marginal(self, inside: PatchIndices, shape: tuple[int, ...]) -> Self:
        # That of a mixture has the marginals of its components, and their weights.
        return self._of([part._marginal(inside, shape) for part in self.parts])

    def _of(self, parts: Sequence[StudentT]) -> Self:
        return self.passed_on(type(self)(self.weights, parts, **self.facts))

    def _drawn(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,
        hidden: Sequence[HiddenPart] | None,
    ) -> Draws:
        """Return draws given the rest of each patch, and what `hidden` leaves visible."""
        chosen = self._chosen(self.chances(inputs, windows, hidden), windows, samples, seed)
        shape = (len(windows), samples, len(inputs), *windows.size)
        draws = np.empty(shape, dtype=np.float32)
        for number, part in enumerate(self.parts):
            n, draw = np.nonzero(chosen == number)
            which, row = np.unique(n, return_inverse=True)
            if len(which):
                one = None if hidden is None else hidden[number]
                some = part.drawn(inputs, windows.subset(which), samples, seed, valid, one)
                draws[n, draw] = some[row, draw]
        return draws

    def _chosen(
        self, chances: Chances, windows: Windows, samples: int, seed: int
    ) -> Annotated[Integers, "n draw"]:
        """The number of the component of each draw."""
        upper = np.cumsum(chances, axis=1)[:, :-1]
        pairs = -(-samples // self.group)
        chance = np.stack(
            [window_generator(seed, int(n), _BLOCK).random(pairs) for n in windows.numbers]
        )
        found = (chance[:, :, None] > upper[:, None]).sum(axis=2)
        return np.repeat(found, self.group, axis=1)[:, :samples]
