"""The protocol where the truth is known: cases × networks × pictures × contenders.

The networks of each case are trained, and the first pictures of the test set that all of them are
right about are explained, for the class that they show.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np

from preddiff.errors import first_line
from preddiff.studies import machine
from preddiff.studies.evaluation.contenders import Contender
from preddiff.studies.evaluation.maps import check_map
from preddiff.studies.evaluation.protocol import Half
from preddiff.studies.evaluation.scores import Score, ScoreFile
from preddiff.studies.evaluation.truth_cases import TRUTHS, TruthCase, TruthPictures
from preddiff.studies.evaluation.truth_contenders import truth_contenders
from preddiff.studies.evaluation.truth_networks import TrainedNetwork, split, trained

TRUTH = "truth"
"""The metric of these scores in a file of scores."""


@dataclass(frozen=True)
class TruthEvaluation:
    """Cases × networks × pictures × contenders.

    Attributes
    ----------
    name : of the set of pictures, one of `TRUTHS`.
    half : of the test pictures.
    count : at most so many pictures of that half, for each case.
    contenders : by name.
    cases : by name, or all of them.
    pictures : in a case, if not as many as it has.
    """

    name: str
    half: Half
    count: int
    contenders: Sequence[str]
    cases: Sequence[str] | None = None
    pictures: int | None = None


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
    for case in TRUTHS[evaluation.name]:
        if evaluation.cases is not None and case.name not in evaluation.cases:
            continue
        for score in _Scoring(evaluation, case, where).missing(file):
            file.add(score)
            report(score)


@dataclass(frozen=True)
class _Scoring:
    """One case and the scores that are wanted of it."""

    evaluation: TruthEvaluation
    case: TruthCase
    where: str

    def missing(self, file: ScoreFile) -> Iterator[Score]:
        """Yield the scores that a file lacks; networks are trained only where there are any."""
        wanted = self.evaluation
        names = self.case.networks
        if all(self._is_known(file, *pair) for pair in product(names, wanted.contenders)):
            return
        data = self.case.draw(wanted.pictures or self.case.count)
        networks = [trained(name, data) for name in names]
        for each in networks:
            accuracy = {f"accuracy {self.case.name}": each.accuracy}
            yield self._score(each, 0, each.name, 0, found=accuracy)
        training, _, _ = split(len(data.labels))
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
            and score.picture.startswith(f"{self.case.name} {network} ")
        ]
        return len(known) >= self.evaluation.count

    def _numbers(self, data: TruthPictures, networks: Sequence[TrainedNetwork]) -> list[int]:
        """Return the pictures of this half that every network is right about."""
        _, _, test = split(len(data.labels))
        numbers = np.arange(test.start, test.stop)
        # Classes take turns, so halves are made of rounds of all classes.
        classes = int(data.labels.max()) + 1
        numbers = numbers[numbers // classes % 2 == (0 if self.evaluation.half == "choose" else 1)]
        said = [each.model.predict(data.pictures[numbers]).argmax(axis=1) for each in networks]
        right = (np.array(said) == data.labels[numbers]).all(axis=0)
        return [int(number) for number in numbers[right][: self.evaluation.count]]

    def _scored(
        self, data: TruthPictures, number: int, network: TrainedNetwork, contender: Contender
    ) -> Score:
        """Return the scores of one map; the picture's number is the seed."""
        picture, label = data.pictures[number], int(data.labels[number])
        started = time.perf_counter()
        try:
            values = contender.make(network.model, picture, label, number)
            check_map(values, picture)
        except Exception as error:  # whatever a method stumbles over, the others go on
            seconds = time.perf_counter() - started
            said = f"{type(error).__name__}: {first_line(error)}"
            return self._score(network, number, contender.name, seconds, label, error=said)
        seconds = time.perf_counter() - started
        judged = data.judge(number, network.model, values)
        found = {f"{kind} {self.case.name}": value for kind, value in judged.items()}
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
            picture=f"{self.case.name} {network.name} {number}",
            half=self.evaluation.half,
            target=target,
            contender=contender,
            metric=TRUTH,
            machine=self.where,
            seconds=round(seconds, 3),
            scores={name: value for name, value in found.items() if math.isfinite(value)},
            error=error,
        )
