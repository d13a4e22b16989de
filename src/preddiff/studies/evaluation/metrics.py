"""The metrics: every score that a map gets.

A new one is a line in `DEFAULT_METRICS`: a function of a `Trial` that returns scores by the name
that they have in tables.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from preddiff.models import Model
from preddiff.studies.evaluation.boxes import box_of, share_in_box
from preddiff.studies.evaluation.contenders import Contender
from preddiff.studies.evaluation.correlation import rank_correlation
from preddiff.studies.evaluation.flipping import flip
from preddiff.studies.evaluation.imputers import IMPUTERS
from preddiff.studies.evaluation.maps import PictureMap, check_map
from preddiff.studies.evaluation.patches import PATCHES
from preddiff.studies.evaluation.pointing import (
    CELLS,
    AskedPicture,
    companions,
    mosaic,
    share_in_cell,
)
from preddiff.studies.evaluation.randomisation import randomised
from preddiff.types import Pixels


@dataclass(eq=False)
class Trial:
    """One picture that one method explains: its map and others are made when asked for.

    Attributes
    ----------
    model, picture, target : what was explained: a class number, and a picture (channel, y, x).
    name : of the picture's file.
    number : of the picture among those that are evaluated, from 0.
    contender : the method.
    seed : that the map is made with.
    sure : the pictures that the network is sure of.
    seconds : that the first map took which was asked for; 0 where none was.
    """

    model: Model
    picture: Pixels
    target: int
    name: str
    number: int
    contender: Contender
    seed: int
    sure: Sequence[AskedPicture]
    seconds: float = field(default=0.0, init=False)

    @cached_property
    def values(self) -> PictureMap:
        """The picture's map, (y, x)."""
        return self.explained()

    def explained(
        self, model: Model | None = None, picture: Pixels | None = None, seed: int | None = None
    ) -> PictureMap:
        """Return the map of another network, of another picture, or of another seed.

        Raises
        ------
        ResultError
            If what the method returns is no map.
        """
        picture = self.picture if picture is None else picture
        started = time.perf_counter()
        values = self.contender.make(
            self.model if model is None else model,
            picture,
            self.target,
            self.seed if seed is None else seed,
        )
        self.seconds = self.seconds or time.perf_counter() - started
        check_map(values, picture)
        return values


CASCADE = (25, 50, 75)
"""Percent of the layers, from the last one back, between the classifier and the whole network."""

Metric = Callable[[Trial], Mapping[str, float]]
"""Returns scores by name; none where the metric does not apply to this trial."""


def flipping(trial: Trial, imputer: str, patches: str = "") -> Mapping[str, float]:
    """Return the symmetric relevance gain in nats, and insertion and deletion probabilities."""
    found = flip(
        trial.model,
        trial.picture,
        trial.target,
        trial.values,
        IMPUTERS[imputer],
        PATCHES[patches](trial.picture),
    )
    # Names end with the imputer, by which tables tell who is no fair judge.
    said = f"{patches} {imputer}".strip()
    return {
        f"SRG {said}": found.gain,
        f"insertion {said}": found.insertion,
        f"deletion {said}": found.deletion,
    }


def pointing(trial: Trial) -> Mapping[str, float]:
    """Return the share of the positive part in the right cell of a mosaic of sure pictures."""
    four = companions(trial.name, trial.sure)
    if not four:
        return {}
    cell = trial.number % CELLS
    picture = mosaic([each.picture for each in four], cell)
    return {"pointing": share_in_cell(trial.explained(picture=picture), cell)}


def boxes(trial: Trial) -> Mapping[str, float]:
    """Return the share of the positive part in the box around the object, where one is known."""
    box = box_of(trial.name, trial.picture.shape[1:])
    return {} if box is None else {"share in box": share_in_box(trial.values, box)}


def randomisation(trial: Trial, share: float, name: str) -> Mapping[str, float]:
    """Return the rank correlation with the map of the network with shuffled weights."""
    network = randomised(trial.model, share=share)
    values = trial.explained(model=network)
    return {f"randomised {name}": rank_correlation(trial.values, values)}


def stability(trial: Trial) -> Mapping[str, float]:
    """Return the rank correlation with the map of another seed, of methods that draw."""
    if not trial.contender.is_random:
        return {}
    values = trial.explained(seed=trial.seed + 1)
    return {"between seeds": rank_correlation(trial.values, values)}


DEFAULT_METRICS: dict[str, Metric] = {
    **{f"flipping:{name}": partial(flipping, imputer=name) for name in IMPUTERS},
    "pointing": pointing,
    "randomisation": partial(randomisation, share=0, name="classifier"),
    "randomisation:all": partial(randomisation, share=1, name="network"),
    "stability": stability,
}
"""Metrics that are asked where none is named, by the name that callers write."""

METRICS: dict[str, Metric] = {
    **DEFAULT_METRICS,
    "boxes": boxes,
    **{
        f"randomisation:{percent}": partial(
            randomisation, share=percent / 100, name=f"last {percent} %"
        )
        for percent in CASCADE
    },
    **{
        f"flipping:{imputer}:{patches}": partial(flipping, imputer=imputer, patches=patches)
        for imputer in IMPUTERS
        for patches in PATCHES
        if patches
    },
}
"""All metrics."""
