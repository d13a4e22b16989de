"""The protocol: pictures × networks × contenders × metrics, from where an earlier run stopped.

Choices are made on one half of the pictures, numbers are reported on the other: what was chosen
because it scored best is not judged by the scores that it was chosen for.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from preddiff.errors import first_line
from preddiff.media import images
from preddiff.media.folders import find_pictures
from preddiff.models import Model, load_model
from preddiff.studies import machine
from preddiff.studies.evaluation.contenders import CONTENDERS, Contender
from preddiff.studies.evaluation.metrics import METRICS, Trial
from preddiff.studies.evaluation.pointing import SURE, AskedPicture
from preddiff.studies.evaluation.scores import Key, Score, ScoreFile

Half = Literal["choose", "report"]
"""Half of the pictures, to choose settings on or to report numbers of."""


@dataclass(frozen=True)
class Evaluation:
    """Pictures × networks × contenders × metrics.

    Attributes
    ----------
    specs : of the models.
    folder : with pictures.
    half : of the pictures.
    count : at most so many pictures of that half.
    contenders, metrics : by name.
    """

    specs: Sequence[str]
    folder: Path
    half: Half
    count: int
    contenders: Sequence[str]
    metrics: Sequence[str]


def pictures_of(folder: Path, half: Half) -> list[Path]:
    """Return the pictures of one half of a folder.

    Every other file belongs to either, in the order of their names: which half a picture is in does
    not change from run to run.
    """
    return find_pictures(folder)[0 if half == "choose" else 1 :: 2]


def evaluate(
    evaluation: Evaluation, file: ScoreFile, report: Callable[[Score], None] = lambda _score: None
) -> None:
    """Add to a file the scores that it lacks.

    Parameters
    ----------
    report : told of each new score.

    Raises
    ------
    PreddiffError
        If a model or a picture cannot be read. A contender that fails on a picture gets its error
        as a score, and the others go on.
    """
    for spec in evaluation.specs:
        bench = _Bench(load_model(spec), spec, evaluation, machine.describe())
        for number in range(len(bench.cases)):
            for name in evaluation.contenders:
                missing = [
                    metric
                    for metric in evaluation.metrics
                    if bench.key(number, name, metric) not in file
                ]
                for score in bench.scores(number, CONTENDERS[name], missing):
                    file.add(score)
                    report(score)


class _Bench:
    """One model and the pictures that it is asked about.

    Attributes
    ----------
    cases : the pictures that are evaluated.
    sure : all pictures of the half that the model is sure of; mosaics are made of them.
    """

    def __init__(self, model: Model, spec: str, evaluation: Evaluation, where: str) -> None:
        self.model = model
        self.spec = spec
        self.half = evaluation.half
        self.where = where
        self.cases: list[AskedPicture] = []
        self.sure: list[AskedPicture] = []
        points = "pointing" in evaluation.metrics
        of_half = pictures_of(evaluation.folder, evaluation.half)
        for number, path in enumerate(of_half if points else of_half[: evaluation.count]):
            picture = model.prepare(images.read(path))
            p = model.predict(picture[None])[0]
            name = path.relative_to(evaluation.folder).as_posix()
            case = AskedPicture(name, picture, int(p.argmax()))
            if number < evaluation.count:
                self.cases.append(case)
            if p.max() > SURE:
                self.sure.append(case)

    def key(self, number: int, contender: str, metric: str) -> Key:
        """Return what a file knows a score by."""
        return self.spec, self.cases[number].name, contender, metric

    def scores(self, number: int, contender: Contender, metrics: Sequence[str]) -> Iterator[Score]:
        """Yield the scores of one method on one picture, as soon as each is known.

        The picture's number is the seed: the same noise in all pictures would be no chance.
        """
        case = self.cases[number]
        trial = Trial(
            model=self.model,
            picture=case.picture,
            target=case.target,
            name=case.name,
            number=number,
            contender=contender,
            seed=number,
            sure=self.sure,
        )
        for metric in metrics:
            try:
                found = METRICS[metric](trial)
            except Exception as error:  # whatever a method stumbles over, the others go on
                yield self._score(case, contender, metric, trial.seconds, error=error)
            else:
                yield self._score(case, contender, metric, trial.seconds, found)

    def _score(
        self,
        case: AskedPicture,
        contender: Contender,
        metric: str,
        seconds: float,
        found: Mapping[str, float] = MappingProxyType({}),
        error: Exception | None = None,
    ) -> Score:
        return Score(
            model=self.spec,
            weights=self.model.sha256 or "",
            picture=case.name,
            half=self.half,
            target=case.target,
            contender=contender.name,
            metric=metric,
            machine=self.where,
            seconds=round(seconds, 3),
            # JSON has no NaN: a score that is none is left out.
            scores={name: value for name, value in found.items() if math.isfinite(value)},
            error="" if error is None else f"{type(error).__name__}: {first_line(error)}",
        )
