"""Patch flipping: how the answer changes as a picture is hidden in the order of a map.

Let the map's mean in each patch order the patches. Hiding the most influential first (MIF) gives a
curve f_MIF(s) of the answer f over the share s of hidden patches, hiding the least influential
first (LIF) another one. With log-odds in nats for f,

    SRG = ∫ f_LIF(s) ds - ∫ f_MIF(s) ds,    s from 0 to 1,

the symmetric relevance gain of Blücher, Vielhaben & Strodthoff (Decoupling pixel flipping and
occlusion strategy for consistent XAI benchmarks, 2024): 0 on average for a random order, whatever
hides the patches, as both integrals then have the same expectation. With the probability for f,
∫ f_MIF is the deletion score and ∫ f_LIF the insertion score of Petsiuk, Das & Saenko (RISE, 2018):
to reveal the most influential first is to hide the least influential first, read backwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.integrate import trapezoid

from preddiff.method.evidence import strictly_inside
from preddiff.models import Model
from preddiff.studies.evaluation.imputers import Imputer
from preddiff.studies.evaluation.maps import (
    HiddenPixels,
    PictureMap,
    Regions,
    region_means,
)
from preddiff.types import Floats, Integers, Pixels

Curve = Annotated[Floats, "step"]
"""Values at each share of hidden patches."""

Order = Annotated[Integers, "region"]
"""Numbers of regions, in the order in which they are hidden."""

STEPS = 20
"""Steps from the whole picture to none of it unless asked otherwise."""

_BATCH = 8  # variants at once: more are no faster on a processor, and take memory


@dataclass(frozen=True, eq=False)
class Flipping:
    """Both curves of one map, from the whole picture to nothing of it.

    Attributes
    ----------
    shares : of the patches that are hidden, from 0 to 1.
    least_first, most_first : probability of the target, hiding the least and the most influential
        patches first.
    least_first_odds, most_first_odds : its natural log-odds.
    """

    shares: Curve
    least_first: Curve
    most_first: Curve
    least_first_odds: Curve
    most_first_odds: Curve

    @property
    def gain(self) -> float:
        """The symmetric relevance gain, in nats."""
        return self._area(self.least_first_odds) - self._area(self.most_first_odds)

    @property
    def insertion(self) -> float:
        """Area under the probability as the most influential patches are revealed first."""
        return self._area(self.least_first)

    @property
    def deletion(self) -> float:
        """Area under the probability as the most influential patches are hidden first."""
        return self._area(self.most_first)

    def _area(self, curve: Curve) -> float:
        return float(trapezoid(curve, self.shares))


def flip(
    model: Model,
    picture: Pixels,
    target: int,
    values: PictureMap,
    imputer: Imputer,
    regions: Regions,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Flipping:
    """Return how the answer changes as the picture is hidden in the order of a map.

    Parameters
    ----------
    target : class number.
    values : the map, (y, x): the higher, the more a pixel speaks for the target.
    imputer : what stands at hidden pixels.
    regions : the patches that are hidden, (y, x).
    steps : of each curve; there are 2 × steps evaluations.
    seed : of the order among patches whose means are equal, of which a map says nothing.
    """
    means = region_means(values, regions)
    random = np.random.default_rng(seed).permutation(len(means))
    most_first = np.lexsort((random, -means))
    counts = np.round(np.linspace(0, len(means), steps + 1)).astype(np.int64)
    # Nothing hidden and all hidden are the same in both orders: those are asked once.
    hidden = np.concatenate(
        [
            _hidden(regions, most_first, counts),
            _hidden(regions, most_first[::-1], counts[1:-1]),
        ]
    )
    p, odds = _answers(model, picture, target, hidden, imputer)
    ends = [0, steps]

    def least(of_all: Curve) -> Curve:
        first, last = of_all[ends]
        return np.concatenate([[first], of_all[steps + 1 :], [last]])

    return Flipping(
        shares=counts / len(means),
        least_first=least(p),
        most_first=p[: steps + 1],
        least_first_odds=least(odds),
        most_first_odds=odds[: steps + 1],
    )


def _hidden(regions: Regions, order: Order, counts: Integers) -> HiddenPixels:
    """Return where the picture is hidden after the first so many regions of an order."""
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return np.asarray(ranks[regions][None] < counts[:, None, None])


def _answers(
    model: Model, picture: Pixels, target: int, hidden: HiddenPixels, imputer: Imputer
) -> tuple[Curve, Curve]:
    """Return the target's probability and its natural log-odds for each variant."""
    faster = model.faster(picture)
    sides = np.concatenate(
        [faster.both_sides(imputer(model, picture, each)) for each in _batches(hidden)]
    )
    p, rest = sides[:, target], sides[:, ~target]
    return p, np.log(strictly_inside(p)) - np.log(strictly_inside(rest))


def _batches(hidden: HiddenPixels) -> Iterator[HiddenPixels]:
    return (hidden[first : first + _BATCH] for first in range(0, len(hidden), _BATCH))
