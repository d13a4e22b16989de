"""Maps of this package: of single windows, signed and in magnitude, and of sets of windows."""

import math
from dataclasses import dataclass

import numpy as np

from preddiff.method.windows import Windows
from preddiff.models import Model
from preddiff.pipeline.explain import explain
from preddiff.pipeline.settings import SETS
from preddiff.results.explanation import Explanation
from preddiff.samplers import Sampler
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.types import Pixels

# Noise is not what holds such maps back: four times fewer windows scored the same. So windows
# overlap four times along each axis, but are no closer than a 50th of the side, with two draws.
_OVERLAP = 4
_PER_SIDE = 50
_DRAWS = 2


@dataclass(frozen=True, eq=False)
class WindowsAlone:
    """Windows of one size that are hidden one at a time.

    Attributes
    ----------
    window : their length in pixels.
    sampler : what fills them.
    draws : of each.
    """

    window: int
    sampler: str | Sampler
    draws: int = _DRAWS

    def relevance(self, model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
        """Return the signed relevance, in bits."""
        explanation = self._explanation(model, picture, target, seed)
        return _everywhere(explanation.relevance.values[0])

    def importance(self, model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
        """Return the importance, in bits: the root mean square of the evidence, noise taken off."""
        explanation = self._explanation(model, picture, target, seed)
        return _everywhere(explanation.data["importance"].values[0])

    def change(self, model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
        """Return the root mean square change of the log-odds over draws and windows, in bits.

        Evidence is the change on average over draws: little where the picture has what draws have
        on average, even if other values would change the answer. This does not depend on luck of
        that kind.
        """
        explanation = self._explanation(model, picture, target, seed)
        importance = explanation.data["importance"].values[0]
        error = explanation.evidence_error.values[0]
        # The squared error of a mean is the variance of single draws, divided by their number.
        windows = Windows.over(picture.shape[1:], self.window, self._stride(picture))
        variance = windows.mean(self.draws * np.nan_to_num(error).reshape(1, -1) ** 2)[0]
        return _everywhere(np.sqrt(importance**2 + variance))

    def _explanation(self, model: Model, picture: Pixels, target: int, seed: int) -> Explanation:
        return explain(
            model,
            picture,
            targets=[target],
            sampler=self.sampler,
            window=self.window,
            samples=self.draws,
            stride=self._stride(picture),
            seed=seed,
            train_size=math.inf,
        )

    def _stride(self, picture: Pixels) -> int:
        side: int = min(picture.shape[1:])
        return max(self.window // _OVERLAP, side // _PER_SIDE, 1)


@dataclass(frozen=True, eq=False)
class WindowsInSets:
    """Windows of one size that are hidden in random sets.

    Attributes
    ----------
    window, sampler : as of `WindowsAlone`; windows lie at every half of their length.
    sets : their number.
    """

    window: int
    sampler: str | Sampler
    sets: int = SETS

    def relevance(self, model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
        """Return the signed relevance, in bits."""
        explanation = explain(
            model,
            picture,
            targets=[target],
            sampler=self.sampler,
            window=self.window,
            stride=max(self.window // 2, 1),
            sets=self.sets,
            seed=seed,
            train_size=math.inf,
        )
        return _everywhere(explanation.relevance.values[0])


def _everywhere(values: PictureMap) -> PictureMap:
    """Return a map that is 0 where it knows nothing: at a border that no window reaches."""
    return np.nan_to_num(values.astype(np.float64))
