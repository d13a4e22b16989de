"""The protocol where the truth is known: cases × networks × pictures × contenders.

A case is a scenario on a background. Its networks are trained, and the first pictures of the test
set that all of them are right about are explained, for the class that they show.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np

from preddiff.datasets.xai_tris import BACKGROUNDS, SCENARIOS, Tetrominoes, xai_tris
from preddiff.errors import first_line
from preddiff.studies import machine
from preddiff.studies.evaluation.contenders import Contender
from preddiff.studies.evaluation.protocol import Half, check_map
from preddiff.studies.evaluation.scores import Score, ScoreFile
from preddiff.studies.evaluation.truth import earth_movers_score, precision
from preddiff.studies.evaluation.truth_contenders import truth_contenders
from preddiff.studies.evaluation.truth_networks import TrainedNetwork, names_for, split, trained

TRUTH = "truth"
"""The metric of these scores in a file of scores."""

TRUTHS = {"xai-tris": 8, "xai-tris-64": 64}
"""Sets of pictures by name, with the side of a picture."""

PICTURES = 10_000
"""Pictures in a set: as many as in the paper."""


@dataclass(frozen=True)
class TruthEvaluation:
    """Cases × networks × pictures × contenders.

    Attributes
    ----------
    name : of the set of pictures, one of `TRUTHS`.
    half : of the test pictures.
    count : at most so many pictures of that half, for each case.
    contenders : by name.
    scenarios, backgrounds : those of XAI-TRIS, or some of them.
    pictures : in the set, most of them to train on.
    """

    name: str
    half: Half
    count: int
    contenders: Sequence[str]
    scenarios: Sequence[str] = SCENARIOS
    backgrounds: Sequence[str] = BACKGROUNDS
    pictures: int = PICTURES


def evaluate_truth(
    evaluation: TruthEvaluation,
    file: ScoreFile,
    report: Callable[[Score], None] = lambda _score: None,
) -> None:
    """Add to a file the scores that it lacks.

    Parameters
    ----------
    report : told of each new score.
    """
    where = machine.describe()
    for scenario, background in product(evaluation.scenarios, evaluation.backgrounds):
        case = _Case(evaluation, scenario, background, where)
        for score in case.missing(file):
            file.add(score)
            report(score)


@dataclass(frozen=True)
class _Case:
    """One scenario on one background."""

    evaluation: TruthEvaluation
    scenario: str
    background: str
    where: str

    @property
    def name(self) -> str:
        """The name that the case has in tables."""
        return f"{self.scenario} {self.background}"

    def missing(self, file: ScoreFile) -> Iterator[Score]:
        """Yield the scores that a file lacks; networks are trained only where there are any."""
        wanted = self.evaluation
        names = names_for(self.scenario)
        if all(self._is_known(file, *pair) for pair in product(names, wanted.contenders)):
            return
        side = TRUTHS[wanted.name]
        data = xai_tris(self.scenario, self.background, wanted.pictures, side=side)
        networks = [trained(name, data) for name in names]
        for each in networks:
            accuracy = {f"accuracy {self.name}": each.accuracy}
            yield self._score(each, 0, each.name, 0, found=accuracy)
        training, _, _ = split(len(data))
        contenders = truth_contenders(data.pictures[training])
        for number in self._numbers(data, networks):
            for each, name in product(networks, wanted.contenders):
                key = self._score(each, number, name, 0).key
                if key not in file:
                    yield self._scored(data, number, each, contenders[name])

    def _is_known(self, file: ScoreFile, network: str, contender: str) -> bool:
        """Return whether a file has the scores of as many pictures as are wanted."""
        of_this = (self.evaluation.name, self.evaluation.half, contender, "")
        known = [
            score
            for score in file.scores.values()
            if (score.model, score.half, score.contender, score.error) == of_this
            and score.picture.startswith(f"{self.name} {network} ")
        ]
        return len(known) >= self.evaluation.count

    def _numbers(self, data: Tetrominoes, networks: Sequence[TrainedNetwork]) -> list[int]:
        """Return the pictures of this half that every network is right about."""
        _, _, test = split(len(data))
        numbers = np.arange(test.start, test.stop)
        # Classes alternate, so halves are made of pairs.
        numbers = numbers[numbers // 2 % 2 == (0 if self.evaluation.half == "choose" else 1)]
        said = [each.model.predict(data.pictures[numbers]).argmax(axis=1) for each in networks]
        right = (np.array(said) == data.labels[numbers]).all(axis=0)
        return [int(number) for number in numbers[right][: self.evaluation.count]]

    def _scored(
        self, data: Tetrominoes, number: int, network: TrainedNetwork, contender: Contender
    ) -> Score:
        """Return the scores of one map; the picture's number is the seed."""
        picture, truth, label = data.pictures[number], data.truth[number], int(data.labels[number])
        started = time.perf_counter()
        try:
            values = contender.make(network.model, picture, label, number)
            check_map(values, picture)
        except Exception as error:  # whatever a method stumbles over, the others go on
            seconds = time.perf_counter() - started
            said = f"{type(error).__name__}: {first_line(error)}"
            return self._score(network, number, contender.name, seconds, label, error=said)
        seconds = time.perf_counter() - started
        found = {
            f"precision {self.name}": precision(values, truth),
            f"EMD {self.name}": earth_movers_score(values, truth),
        }
        return self._score(network, number, contender.name, seconds, label, found)

    def _score(
        self,
        network: TrainedNetwork,
        number: int,
        contender: str,
        seconds: float,
        target: int = 0,
        found: Mapping[str, float] = MappingProxyType({}),
        error: str = "",
    ) -> Score:
        return Score(
            model=self.evaluation.name,
            weights=network.model.sha256,
            picture=f"{self.name} {network.name} {number}",
            half=self.evaluation.half,
            target=target,
            contender=contender,
            metric=TRUTH,
            machine=self.where,
            seconds=round(seconds, 3),
            scores={name: value for name, value in found.items() if math.isfinite(value)},
            error=error,
        )
