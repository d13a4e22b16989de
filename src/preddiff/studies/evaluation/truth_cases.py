"""The cases where the truth is known: which pictures, which networks, and how maps are judged.

A new set of pictures is a line in `TRUTHS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Annotated

import numpy as np

from preddiff.datasets.parts import PARTS, Figures, figures
from preddiff.datasets.xai_tris import BACKGROUNDS, SCENARIOS, Tetrominoes, xai_tris
from preddiff.models import Model
from preddiff.studies.evaluation.correlation import rank_correlation
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.studies.evaluation.truth import earth_movers_score, precision
from preddiff.studies.evaluation.truth_networks import split
from preddiff.types import Batch, Integers

Judge = Callable[[int, Model, PictureMap], Mapping[str, float]]
"""Returns scores by name of a model's map of a picture, by the picture's number."""


@dataclass(frozen=True, eq=False)
class TruthPictures:
    """Pictures of a case.

    Attributes
    ----------
    pictures, labels : (picture, channel, y, x) in [0, 1], and their classes, which take turns.
    judge : judges maps of them.
    """

    pictures: Batch
    labels: Annotated[Integers, "picture"]
    judge: Judge


@dataclass(frozen=True)
class TruthCase:
    """Pictures of one kind, and who learns them.

    Attributes
    ----------
    name : that the case has in tables.
    networks : that learn it, by name.
    count : of pictures, most of them to train on.
    draw : returns so many pictures.
    """

    name: str
    networks: Sequence[str]
    count: int
    draw: Callable[[int], TruthPictures]


def _tetrominoes(side: int, scenario: str, background: str) -> TruthCase:
    def draw(count: int) -> TruthPictures:
        data = xai_tris(scenario, background, count, side=side)
        return TruthPictures(data.pictures, data.labels, partial(_overlap, data))

    networks = ("linear", "mlp", "cnn") if scenario == "linear" else ("mlp", "cnn")
    return TruthCase(f"{scenario} {background}", networks, 10_000, draw)  # as many as in the paper


def _overlap(
    data: Tetrominoes, number: int, _model: Model, values: PictureMap
) -> Mapping[str, float]:
    """Return how well a map's magnitude agrees with the pixels that tell the classes apart."""
    truth = data.truth[number]
    return {"precision": precision(values, truth), "EMD": earth_movers_score(values, truth)}


def _figures(count: int) -> TruthPictures:
    *_, test = split(count)
    data = figures(count, complete=count - test.start)
    return TruthPictures(data.pictures, data.labels, partial(_deletion, data))


def _deletion(data: Figures, number: int, model: Model, values: PictureMap) -> Mapping[str, float]:
    """Return the rank correlation of a map's sums over parts with what parts are worth.

    That is by how much the log-odds of the class fall where the picture is drawn without the part,
    the single deletion of FunnyBirds.
    """
    pictures = [data.pictures[number], *(data.without(number, part) for part in range(PARTS))]
    p = model.predict(np.stack(pictures))[:, data.labels[number]].astype(np.float64)
    with np.errstate(divide="ignore"):
        odds = np.log(p) - np.log1p(-p)
    sums = [values[data.where(number, part)].sum() for part in range(PARTS)]
    return {"deletion": rank_correlation(np.array(sums), odds[0] - odds[1:])}


TRUTHS: dict[str, Sequence[TruthCase]] = {
    **{
        name: [_tetrominoes(side, *each) for each in product(SCENARIOS, BACKGROUNDS)]
        for name, side in (("xai-tris", 8), ("xai-tris-64", 64))
    },
    "parts": [TruthCase("parts", ("cnn",), 6_000, _figures)],
}
"""Sets of cases by name."""
