"""preddiff evaluate"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError, nearest

if TYPE_CHECKING:
    from preddiff.studies.evaluation.scores import Score, ScoreFile

_HELP = """
Hold the maps of many methods against what happens when the places that they mark are hidden.

Each map of each picture gets a score from each metric. Scores are added to a file as soon as they
are known, and a run with the same file goes on from there. The table has means with standard errors
over pictures, and differences to one method on the same pictures (docs/evaluation.md).

With --truth, small pictures are drawn of which it is known which pixels matter, networks are
trained on them, and maps are held against that.

Example: preddiff evaluate --pictures photos --contender importance-20 --contender grad_cam
"""


class Half(StrEnum):
    """Every other picture, in the order of their names."""

    CHOOSE = "choose"
    REPORT = "report"


class Truth(StrEnum):
    """Pictures of which it is known which pixels matter."""

    XAI_TRIS = "xai-tris"
    XAI_TRIS_64 = "xai-tris-64"
    PARTS = "parts"


def evaluate(
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Pictures to ask about; answers need no labels."),
    ] = None,
    truth: Annotated[
        Truth | None,
        typer.Option(help="Instead, pictures to draw of which it is known which pixels matter."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Model, as for `preddiff explain`; may be repeated."),
    ] = None,
    contender: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Method to score; may be repeated; else all."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Score to give; may be repeated."),
    ] = None,
    count: Annotated[
        int,
        typer.Option(
            metavar="N", help="Number of pictures, at most; of each kind with --truth.", min=1
        ),
    ] = 12,
    half: Annotated[
        Half, typer.Option(help="Half of the pictures, to choose settings on or to report.")
    ] = Half.CHOOSE,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File of scores to go on with.")
    ] = Path("scores.jsonl"),
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also put the tables between their marks in this Markdown page."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Method that the others are compared with; else grad_cam, with --truth sobel.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Leave out methods whose maps take longer.", min=0),
    ] = None,
) -> None:
    from preddiff.cli import marks
    from preddiff.studies.evaluation.scores import ScoreFile

    if (pictures is None) == (truth is None):
        raise SettingError("expected one of --pictures FOLDER and --truth NAME")
    section = "evaluation" if truth is None else "truth"
    made: Callable[[ScoreFile], str]
    if pictures is not None:
        made = _of_pictures(
            pictures, model, contender, metric, count, half, against or "grad_cam", budget
        )
    else:
        for option, value in (("model", model), ("metric", metric), ("budget", budget)):
            if value is not None:
                raise SettingError(f"--{option} is for --pictures; leave it out with --truth")
        made = _of_truth(str(truth), contender, count, half, against or "sobel")
    # A page without marks is refused now, not after hours of work.
    if table is not None:
        marks.check(table, section)
    text = made(ScoreFile(output))
    for line in text.splitlines():
        echo(line)
    if table is not None:
        marks.fill(table, section, text)


def _of_pictures(
    pictures: Path,
    model: list[str] | None,
    contender: list[str] | None,
    metric: list[str] | None,
    count: int,
    half: Half,
    against: str,
    budget: float | None,
) -> Callable[[ScoreFile], str]:
    """Return what adds the scores of pictures to a file and returns the tables."""
    from preddiff.studies.evaluation.contenders import CONTENDERS
    from preddiff.studies.evaluation.metrics import DEFAULT_METRICS, METRICS
    from preddiff.studies.evaluation.protocol import Evaluation
    from preddiff.studies.evaluation.protocol import evaluate as run
    from preddiff.studies.evaluation.table import tables

    contenders = _known("--contender", contender, CONTENDERS)
    _known("--against", [against], CONTENDERS)
    metrics = _known("--metric", metric or list(DEFAULT_METRICS), METRICS)
    specs = model or ["embedded"]
    evaluation = Evaluation(specs, pictures, half.value, count, contenders, metrics)

    def made(file: ScoreFile) -> str:
        run(evaluation, file, _report)
        known = (score for score in file.scores.values() if score.metric in METRICS)
        return tables(known, against, budget)

    return made


def _of_truth(
    name: str, contender: list[str] | None, count: int, half: Half, against: str
) -> Callable[[ScoreFile], str]:
    """Return what adds the scores of pictures of known truth to a file and returns the tables."""
    from preddiff.studies.evaluation.truth_contenders import TRUTH_CONTENDERS
    from preddiff.studies.evaluation.truth_protocol import TruthEvaluation, evaluate_truth
    from preddiff.studies.evaluation.truth_table import truth_tables

    contenders = _known("--contender", contender, TRUTH_CONTENDERS)
    _known("--against", [against], TRUTH_CONTENDERS)
    evaluation = TruthEvaluation(name, half.value, count, contenders)

    def made(file: ScoreFile) -> str:
        evaluate_truth(evaluation, file, _report)
        return truth_tables(file.scores.values(), against)

    return made


def _report(score: Score) -> None:
    from preddiff.pipeline.progress import say

    said = score.error or ", ".join(f"{name} {v:.2f}" for name, v in score.scores.items())
    say(f"{score.model} {score.picture} {score.contender} {score.metric}: {said or 'none'}")


def _known(option: str, names: list[str] | None, table: Mapping[str, object]) -> list[str]:
    """Return the names that were given, each once, or all of a table."""
    for name in names or []:
        if name not in table:
            close = nearest(name, table) or f"; known: {', '.join(table)}"
            raise SettingError(f"{option} {name!r}: there is no such name{close}")
    return list(dict.fromkeys(names or table))


evaluate.__doc__ = _HELP
